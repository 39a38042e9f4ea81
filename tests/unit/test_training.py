"""Training of PlateNet with every truth known: samples, losses, the recipe, and what is exported from it."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import EngineError
from engine.network import table
from engine.synthesis import foregrounds, textures
from engine.training import assets, dataset, supervised
from engine.training.compiled import compile_parts
from engine.training.config import Config, Run, Supervised
from engine.training.export import export
from engine.training.supervised import SupervisedRecipe, SyntheticSource
from engine.training.trainer import Trainer


@pytest.fixture(scope="module")
def material():
    """Photographs and subjects, without the manifest's files."""
    photos = [np.abs(textures.noise(np.random.default_rng(0), 300, 20, 3))]
    return photos, np.stack([foregrounds.foreground(seed, photos) for seed in (0, 1)])


@pytest.fixture(scope="module")
def batch(material):
    photos, subjects = material
    return dataset.Batches(dataset.Subjects(subjects, None), photos, 128, 2, 3, 1).batch(0)


def trainer(folder, **settings):
    run = Run(folder, hours=1.0, rate=2e-3, threads=torch.get_num_threads())
    recipe = Supervised(folder, size=128, batch=2, **settings)
    torch.manual_seed(1)
    return Trainer(Config(run, recipe), SupervisedRecipe(run, recipe))


def test_a_source_gives_the_same_batch_for_the_same_number(material, tmp_path, monkeypatch):
    photos, subjects = material
    monkeypatch.setattr(supervised, "load_photos", lambda _folder: [(photo, False) for photo in photos])
    monkeypatch.setattr(supervised, "load_painted", lambda *_arguments: subjects)
    first, second = (SyntheticSource(Run(tmp_path, steps=10), Supervised(tmp_path, size=128, batch=2)) for _ in "ab")
    first.batch(0, 0.0)
    assert torch.equal(first.batch(3, 0.3)["frame"], second.batch(3, 0.3)["frame"])
    assert not torch.equal(first.batch(3, 0.3)["frame"][:1, :1, :9, :9], first.batch(4, 0.3)["frame"][:1, :1, :9, :9])


def test_processes_that_make_samples_are_handed_none(material, tmp_path, monkeypatch):
    """What was looked at before the first step is not pickled into them: they load their own."""
    photos, subjects = material
    monkeypatch.setattr(supervised, "load_photos", lambda _folder: [(photo, False) for photo in photos])
    monkeypatch.setattr(supervised, "load_painted", lambda *_arguments: subjects)
    source = SyntheticSource(Run(tmp_path, steps=10), Supervised(tmp_path, size=128, batch=2))
    source.prepare()
    assert len(pickle.dumps(source)) < 10_000
    assert source.batch(0, 0.0)["frame"].shape[0] == 2


def test_it_begins_from_weights_with_fewer_inputs(tmp_path):
    """New inputs are not listened to at first; the rest is as it was."""
    former = trainer(tmp_path).recipe.network
    weights = {name: value.contiguous() for name, value in former.state_dict().items()}
    narrow = {**weights, "base.pixels.0.weight": weights["base.pixels.0.weight"][:, :34].contiguous()}
    save_file(narrow, tmp_path / "former.safetensors")
    grown = trainer(tmp_path, weights=tmp_path / "former.safetensors").recipe.network.state_dict()
    assert torch.equal(grown["base.pixels.0.weight"][:, :34], weights["base.pixels.0.weight"][:, :34])
    assert float(grown["base.pixels.0.weight"][:, 34:].abs().max()) == 0
    assert torch.equal(grown["base.heads.weight"], weights["base.heads.weight"])


@pytest.mark.parametrize("tensors", [None, {"base.heads.weight": torch.zeros(2)}, {"other": torch.zeros(2)}])
def test_it_does_not_begin_from_other_weights(tmp_path, tensors):
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"no weights") if tensors is None else save_file(tensors, path)
    with pytest.raises(EngineError, match=r"other\.safetensors are no weights"):
        trainer(tmp_path, weights=path)


def test_it_learns_one_batch(batch, tmp_path):
    learner = trainer(tmp_path)
    first = learner.learn(batch)["total"]
    for _ in range(25):
        last = learner.learn(batch)["total"]
    assert last < 0.7 * first


def test_it_goes_on_bit_for_bit(batch, tmp_path):
    learner = trainer(tmp_path)
    learner.learn(batch)
    learner.hours = 0.5
    learner.save()
    other = trainer(tmp_path)
    assert other.resume()
    assert (other.step, other.hours) == (1, 0.5)
    assert learner.learn(batch) == other.learn(batch)
    for name, value in learner.average.values.items():
        assert torch.equal(other.average.values[name], value), name


def test_without_a_checkpoint_it_starts(tmp_path):
    assert not trainer(tmp_path).resume()


def test_parts_have_their_share_of_the_rate(tmp_path):
    groups = trainer(tmp_path).recipe.optimisers["network"].param_groups
    assert {group["share"] for group in groups} == set(supervised.SHARES.values())
    assert sum(len(group["params"]) for group in groups) == len(list(trainer(tmp_path).recipe.network.parameters()))


def test_a_broken_sample_stops_training(batch, tmp_path):
    with pytest.raises(EngineError, match="not finite"):
        trainer(tmp_path).learn({**batch, "alpha": batch["alpha"] * float("nan")})


@pytest.mark.parametrize("content", [None, {"_conv_stem.weight": torch.zeros(1)}])
def test_an_encoder_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "encoder.pth"
    if content is not None:
        torch.save(content, path)
    with pytest.raises(EngineError, match=r"encoder.pth are (missing|not the weights)"):
        trainer(tmp_path, encoder=path)


def test_compiling_without_a_compiler_is_refused(tmp_path, monkeypatch):
    network = torch.nn.Linear(1, 1)
    compile_parts(network, Run(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"needs a C\+\+ compiler"):
        compile_parts(network, Run(tmp_path, compile=True))


def test_export_ships_the_average_with_its_card(batch, tmp_path, monkeypatch):
    learner = trainer(tmp_path)
    learner.learn(batch)
    learner.save()
    card = export(tmp_path, tmp_path / "weights")
    assert json.loads((tmp_path / "weights" / card.file).with_suffix(".json").read_text())["sha256"] == card.sha256
    monkeypatch.setattr(table, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(table, "MODELS", {"platenet": card})
    loaded = table.load_network("platenet", "cpu").state_dict()
    for name, value in learner.average.values.items():
        torch.testing.assert_close(loaded[name], value, rtol=1e-3, atol=1e-4)
    assert {source["licence"] for source in card.sources} <= {"Apache-2.0", "CC0-1.0", "CC-BY-2.0", "CC-BY-4.0"}
    assert card.training["recipe"] == "supervised"
    assert str(tmp_path) not in json.dumps(card.training)


def test_export_needs_a_run(tmp_path):
    with pytest.raises(EngineError, match="no checkpoint"):
        export(tmp_path, tmp_path)


def test_the_manifest_is_free_and_names_its_sources():
    entries = assets.load_manifest()
    assert {entry.licence for entry in entries} <= {"CC0-1.0", "CC-BY-2.0", "CC-BY-4.0"}
    assert all(entry.author and entry.package and len(entry.sha256) == 64 for entry in entries)
    assert any(entry.held_out for entry in entries)


def test_missing_and_changed_photographs_are_named(tmp_path):
    entry = assets.load_manifest()[0]
    with pytest.raises(EngineError, match=entry.file):
        entry.read(tmp_path)
    (tmp_path / entry.file).write_bytes(b"other")
    with pytest.raises(EngineError, match="not the one"):
        entry.read(tmp_path)
