"""Adding other people's weights: recognised, converted and listed; or refused with a sentence, and nothing run."""

import json
import os
import pickle
import random
import struct
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from engine.cli import app
from engine.errors import EngineError
from engine.network import library, table
from engine.network.architectures import ARCHITECTURES
from engine.network.bgmv2 import BackgroundMattingV2
from engine.network.checkpoint import read_weights, recognise
from engine.network.listing import as_table, entries
from engine.pipeline.session import Session

BGMV2 = "bgmv2-mobilenetv2"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "hö me"))
    return tmp_path / "hö me" / "models"


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    return BackgroundMattingV2("mobilenetv2").state_dict()


@pytest.fixture(scope="module")
def published(weights, tmp_path_factory):
    """The public checkpoint as its authors would have saved it."""
    path = tmp_path_factory.mktemp("public") / "pytorch_mobilenetv2.pth"
    torch.save(weights, path)
    return path


def feather(architecture, prefix=""):
    """A whole state dict that takes no room: every value of a tensor is the same one in memory."""
    shapes = ARCHITECTURES[architecture].shapes()
    return {prefix + name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}


def refusal(path):
    with pytest.raises(EngineError) as caught:
        library.add(path)
    assert not table.home().exists()
    return caught.value


def test_weights_are_added_listed_loaded_and_verified(published, weights, home):
    card = library.add(published)
    assert (card.name, card.licence, card.commercial_use, card.parameters) == (BGMV2, "MIT", True, 5_006_839)
    assert sorted(path.suffix for path in home.iterdir()) == [".json", ".safetensors"]
    network = table.load_network(BGMV2, "cpu")
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=0, atol=0)
    assert [(verdict.name, verdict.fault) for verdict in library.verify()] == [(BGMV2, ""), ("platenet", "")]
    (line,) = [entry for entry in entries() if entry.name == BGMV2]
    assert (line.present, line.size, line.sha256) == (True, card.path.stat().st_size, card.sha256)


def test_the_list_names_what_is_not_here_and_where_to_get_it():
    listed = {entry.name: entry for entry in entries()}
    assert set(listed) == set(ARCHITECTURES)
    assert listed["platenet"].present
    assert not listed["bgm2020"].present
    assert (listed["bgm2020"].parameters, listed["bgm2020"].commercial_use) == (17_908_420, False)
    assert "github.com/senguptaumd" in listed["bgm2020"].origin
    sizes = {name.removeprefix("bgmv2-"): listed[name].size / 2**20 for name in ARCHITECTURES}
    assert sizes["mobilenetv2"] == pytest.approx(19.23, abs=0.01)
    assert sizes["resnet50"] == pytest.approx(153.75, abs=0.01)
    assert sizes["resnet101"] == pytest.approx(226.40, abs=0.01)
    rows = as_table(entries()).splitlines()
    assert len(rows) == 1 + len(ARCHITECTURES)
    assert rows[0].index("licence") == rows[1].index("CC-BY-NC-SA-4.0") == rows[2].index("MIT")


def test_a_known_model_that_is_not_here_says_where_to_get_it():
    with pytest.raises(EngineError, match=r"pytorch_resnet50\.pth.*models add") as caught:
        table.load_network("bgmv2-resnet50", "cpu")
    assert caught.value.reason == "MODEL_UNKNOWN"


def test_another_name_and_licence_can_be_given(published):
    card = library.add(published, "our-portraits", "LicenseRef-Studio")
    assert (card.name, card.licence, card.commercial_use) == ("our-portraits", "LicenseRef-Studio", False)
    assert table.card("our-portraits").data == "not stated"


def test_adding_again_replaces_and_keeps_one_file(published, weights, home, tmp_path):
    first = library.add(published)
    changed = dict(weights, **{"refiner.conv4.bias": torch.ones(4)})
    torch.save(changed, tmp_path / "new.pth")
    second = library.add(tmp_path / "new.pth")
    assert first.sha256 != second.sha256
    assert [path.name for path in home.glob("*.safetensors")] == [second.file]
    assert table.card(BGMV2) == second


def test_a_session_takes_up_replaced_weights(published, weights, tmp_path):
    library.add(published)
    session = Session("cpu", 0)
    before = session.network(BGMV2)
    assert session.network(BGMV2) is before
    torch.save(dict(weights, **{"decoder.conv4.bias": torch.ones(37)}), tmp_path / "new.pth")
    library.add(tmp_path / "new.pth")
    assert session.network(BGMV2).network.decoder.conv4.bias.tolist() == [1.0] * 37


def test_safetensors_are_taken_too(weights, tmp_path):
    save_file(weights, tmp_path / "w.safetensors")
    assert library.add(tmp_path / "w.safetensors").architecture == BGMV2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_recognised(architecture):
    assert recognise(feather(architecture), "x.pth") == architecture


def test_the_public_2020_checkpoint_is_taken_whole(tmp_path):
    """With the prefix of ``DataParallel``, as ``netG_epoch_*.pth`` has it; loaded strictly; not for commercial use."""
    weights = {**feather("bgm2020", "module."), "module.comb_seg.0.weight": torch.full((64, 512, 1, 1), 0.5)}
    torch.save(weights, tmp_path / "netG_epoch_12.pth")
    assert recognise(read_weights(tmp_path / "netG_epoch_12.pth"), "netG_epoch_12.pth") == "bgm2020"
    card = library.add(tmp_path / "netG_epoch_12.pth")
    assert (card.name, card.parameters, card.commercial_use) == ("bgm2020", 17_908_420, False)
    network = table.load_network("bgm2020", "cpu")
    assert network.motion == "published"
    assert float(network.comb_seg[0].weight.mean()) == 0.5
    assert float(network.comb_back[0].weight.abs().max()) == 0


def test_options_travel_in_the_file_and_change_its_hash(published, weights, tmp_path, home):
    plain, fully = library.add(published), library.add(published, "fully", options={"refine": "full"})
    assert (plain.options, fully.options) == ({}, {"refine": "full"})
    assert plain.sha256 != fully.sha256
    again = library.add(fully.path, "again")
    assert again.options == {"refine": "full"}
    (line,) = [entry for entry in entries() if entry.name == "fully"]
    assert line.options == {"refine": "full"}
    assert as_table([line]).endswith("; run with refine=full")
    assert Session("cpu", 0).network("fully")._mode == "full"
    fully.path.write_bytes(b"\xff" * 20)
    assert fully.options == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"motion": "wired"}, f"{BGMV2} has no option 'motion'. It has: refine."),
        (
            {"refine": "most"},
            f"The option refine of {BGMV2} cannot be 'most'. It can be: sampling, thresholding, full.",
        ),
    ],
)
def test_options_that_cannot_be(options, sentence, published):
    with pytest.raises(EngineError) as caught:
        library.add(published, options=options)
    assert f"{caught.value.message} {caught.value.next_step}" == sentence
    assert not table.home().exists()


def test_missing_and_extra_keys_are_named(tmp_path):
    short = feather(BGMV2)
    del short["refiner.conv4.bias"], short["refiner.conv4.weight"]
    torch.save({**short, "discriminator.0.weight": torch.zeros(1)}, tmp_path / "x.pth")
    message = refusal(tmp_path / "x.pth").message
    assert f"not quite {BGMV2}" in message
    assert "2 of its entries missing (refiner.conv4.weight, refiner.conv4.bias)" in message
    assert "1 of its entries too many (discriminator.0.weight)" in message


def test_wrong_shapes_are_named(tmp_path):
    torch.save({**feather(BGMV2), "decoder.conv4.weight": torch.zeros(37, 3, 3, 3)}, tmp_path / "x.pth")
    assert "1 of its entries of another shape (decoder.conv4.weight)" in refusal(tmp_path / "x.pth").message


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    torch.save({**feather(BGMV2), "decoder.conv4.bias": torch.full((37,), torch.nan)}, tmp_path / "x.pth")
    assert "not finite (decoder.conv4.bias)" in refusal(tmp_path / "x.pth").message


def test_another_network_is_refused(tmp_path):
    save_file({"vision.patch.weight": torch.zeros(8, 3)}, tmp_path / "vit.safetensors")
    error = refusal(tmp_path / "vit.safetensors")
    assert "no network that PlateKey knows" in error.message
    assert "platenet" in error.next_step


def test_weights_of_no_stated_licence_need_one(tmp_path):
    torch.save(feather("platenet"), tmp_path / "mine.pth")
    with pytest.raises(EngineError, match="--licence"):
        library.add(tmp_path / "mine.pth", "mine")
    assert library.add(tmp_path / "mine.pth", "mine", "MIT").commercial_use


def outcome(path):
    try:
        read_weights(path)
    except EngineError as error:
        return error.reason
    return "weights"


class Payload:
    """Writes a file when it is unpickled by anything that calls what it is told to."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("container", ["zip", "legacy", "bare"])
def test_a_pickle_that_would_run_code_runs_none(tmp_path, container, weights):
    path, proof = tmp_path / "evil.pth", tmp_path / "it ran"
    evil = {"refiner.conv4.bias": weights["refiner.conv4.bias"], "x": Payload(proof)}
    if container == "bare":
        path.write_bytes(pickle.dumps(evil))
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=container == "zip")
    error = refusal(path)
    assert "code" in error.message or "cannot be read" in error.message
    assert not proof.exists()
    if container == "bare":
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert proof.exists(), "the file was harmless, so nothing was proved"


def test_a_refused_pickle_says_what_it_named(tmp_path):
    torch.save({"x": Payload(tmp_path / "never")}, tmp_path / "evil.pth")
    assert "system" in refusal(tmp_path / "evil.pth").message


def test_damaged_files_are_refused_with_a_sentence(tmp_path):
    """Cut off anywhere, altered anywhere, in both of torch's formats: an error of ours, or weights; never another."""
    rng = random.Random(0)
    whole, torn = tmp_path / "whole.pth", tmp_path / "torn.pth"
    for modern in (True, False):
        torch.save({f"a.{index}": torch.rand(3) for index in range(5)}, whole, _use_new_zipfile_serialization=modern)
        data = whole.read_bytes()
        for _ in range(150):
            changed = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.4 else data)
            for _ in range(rng.randint(0, 3)):
                changed[rng.randrange(min(len(changed), 700) or 1) : 1] = bytes([rng.randrange(256)])
            torn.write_bytes(changed)
            assert outcome(torn) in {"BAD_REQUEST", "weights"}


def test_a_truncated_checkpoint_is_refused(published, tmp_path):
    torn = tmp_path / "torn.pth"
    torn.write_bytes(published.read_bytes()[:-5_000_000])
    assert "cut off" in refusal(torn).message


def test_truncated_safetensors_are_refused(weights, tmp_path):
    save_file(weights, tmp_path / "w.safetensors")
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes((tmp_path / "w.safetensors").read_bytes()[:-1000])
    assert "cut off" in refusal(torn).message
    torn.write_bytes(struct.pack("<Q", 100) + b'{"a": no json')
    assert "cut off" in refusal(torn).message


@pytest.mark.parametrize("content", [b"", b"hello world, this is text", b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(5000)])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "x.pth").write_bytes(content)
    assert refusal(tmp_path / "x.pth").reason == "BAD_REQUEST"


@pytest.mark.parametrize("value", [[1, 2], {}, {"a": 1}, {1: torch.zeros(1)}, {"network": {"a": torch.zeros(1)}}])
def test_more_or_less_than_a_state_dict_is_refused(value, tmp_path):
    torch.save(value, tmp_path / "x.pth")
    assert "no state dict" in refusal(tmp_path / "x.pth").message


def test_programs_are_refused_by_their_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("x/constants.pkl", pickle.dumps(()))
        archive.writestr("x/version", "3")
    assert "TorchScript" in refusal(tmp_path / "x.pth").message


def test_no_file_and_a_folder(tmp_path):
    assert refusal(tmp_path / "none.pth").reason == "FILE_MISSING"
    assert refusal(tmp_path).reason == "FILE_MISSING"


@pytest.mark.parametrize("name", ["platenet", "../evil", "", "Ü", "a b", "x" * 65])
def test_names_that_cannot_be(name, published):
    if name:
        with pytest.raises(EngineError, match="name"):
            library.add(published, name)
    else:
        assert library.add(published, name).name == BGMV2


def test_changed_weights_fail_verification(published):
    card = library.add(published)
    card.path.write_bytes(card.path.read_bytes()[:-1] + b"x")
    faults = {verdict.name: verdict.fault for verdict in library.verify()}
    assert "checksum" in faults[BGMV2]
    assert "models add" in faults[BGMV2]
    assert faults["platenet"] == ""
    with pytest.raises(EngineError, match="checksum"):
        table.load_network(BGMV2, "cpu")


def test_a_card_that_is_none_does_no_harm(home):
    home.mkdir(parents=True)
    (home / "a.json").write_text("{")
    (home / "b.json").write_text('{"name": "b"}')
    (home / "c.json").write_text("[1]")
    assert list(table.models()) == ["platenet"]


def test_a_full_disk_leaves_what_was_there(published, weights, home, tmp_path, monkeypatch):
    first = library.add(published)

    def full(*_):
        raise OSError(28, "No space left on device")

    torch.save(dict(weights, **{"refiner.conv4.bias": torch.ones(4)}), tmp_path / "new.pth")
    monkeypatch.setattr(library.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        library.add(tmp_path / "new.pth")
    assert table.card(BGMV2) == first
    assert first.intact_bytes()
    assert not list(home.glob("*.part"))


def test_the_commands(published, tmp_path):
    run = CliRunner().invoke
    assert "get pytorch_mobilenetv2.pth" in run(app, ["models"]).output
    added = run(app, ["models", "add", str(published), "--as", "ours", "--option", "refine=full"])
    assert added.exit_code == 0
    assert "5,006,839 parameters, MIT (commercial use allowed)" in added.output
    listed = json.loads(run(app, ["models", "--json"]).output)
    (ours,) = [entry for entry in listed if entry["name"] == "ours"]
    assert ours["present"]
    assert ours["options"] == {"refine": "full"}
    assert "'full' is no option" in run(app, ["models", "add", str(published), "--option", "full"]).stderr
    assert ours["sha256"] == table.card("ours").sha256
    assert run(app, ["models", "verify"]).exit_code == 0
    table.card("ours").path.unlink()
    broken = run(app, ["models", "verify"])
    assert broken.exit_code == 1
    assert "ours: The weights" in broken.output
    (tmp_path / "x.pth").write_bytes(b"no")
    refused = run(app, ["models", "add", str(tmp_path / "x.pth")])
    assert refused.exit_code == 2
    assert "cannot be read as weights" in refused.stderr
