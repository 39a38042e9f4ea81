"""A model that the user added, through the same wire and pipeline as the shipped one."""

import grpc
import numpy as np
import pytest
import torch
from engine_client import detail, matte_setup, outcomes
from engine_process import EngineProcess
from exr_files import read_bytes, write

from engine.network import library
from engine.network.bgmv2 import BackgroundMattingV2
from host_bridge.wire.v1 import error_pb2, matte_pb2

SIZE = (96, 128)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """An untrained BackgroundMattingV2, under a licence that forbids commercial use."""
    folder = tmp_path_factory.mktemp("home")
    torch.manual_seed(0)
    torch.save(BackgroundMattingV2("mobilenetv2").state_dict(), folder / "ours.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATEKEY_HOME", str(folder))
        yield library.add(folder / "ours.pth", "ours", "CC-BY-NC-4.0")


@pytest.fixture(scope="module")
def client(card, tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process, process.client() as connected:
        yield connected


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Bytes of a frame, its clean plate and a hint."""
    folder = tmp_path_factory.mktemp("shot")
    rng = np.random.default_rng(0)
    plate = rng.uniform(0.1, 0.4, (*SIZE, 3)).astype(np.float32)
    frame = plate.copy()
    frame[30:70, 40:90] = (0.9, 0.3, 0.1)
    hint = np.ones((*SIZE, 4), np.float32)
    return [write(folder / f"{index}.exr", picture).read_bytes() for index, picture in enumerate((frame, plate, hint))]


def test_the_engine_tells_of_it(client, card):
    told = {model.name: model for model in client.describe().models}
    assert set(told) == {"platenet", "ours"}
    ours = told["ours"]
    assert (ours.weights_sha256, ours.parameters, ours.licence) == (card.sha256, 5_006_839, "CC-BY-NC-4.0")
    assert not ours.commercial_use
    assert ours.weights_size > 19e6


def test_it_makes_the_same_layers_and_says_its_licence(client, card, pictures, tmp_path):
    frame, plate, hint = pictures
    knobs = {"registration": matte_pb2.REGISTRATION_OFF, "depth": matte_pb2.DEPTH_FLOAT, "model": "ours"}
    setup = matte_setup(client.image(plate, "plate.exr"), "job", **knobs)
    setup.layers.extend([matte_pb2.RESIDUAL, matte_pb2.SHADOW_RATIO, matte_pb2.CLEANPLATE])
    asked = matte_pb2.MatteFrame(frame=1, image=client.image(frame), hint=client.image(hint, "hint.exr"), key="k")
    replies = list(client.matte(setup, [asked]))
    made = outcomes(replies)[1]
    assert isinstance(made, bytes), made
    header, channels = read_bytes(made, tmp_path)
    (done,) = [reply.done for reply in replies if reply.HasField("done")]
    said = " ".join(done.report.warnings)
    assert "ours are not for commercial use (licence: CC-BY-NC-4.0)" in said
    assert "takes no hint" in said
    assert header.getattribute("platekey/warnings") == said
    assert header.getattribute("platekey/weights") == card.sha256
    assert recombination_error(channels) < 1e-6


def recombination_error(channels):
    """Largest ``|P + (1 - a) s B + R - I|``; the frame's half floats are exact in float."""
    colours = {
        layer: np.stack([channels[f"{layer}{c}"] for c in "RGB"], 2) for layer in ("", "residual.", "cleanplate.")
    }
    ratio = np.stack([channels[f"shadow_ratio.{c}"] for c in "RGB"], 2)
    made = colours[""] + (1 - channels["A"][..., None]) * ratio * colours["cleanplate."] + colours["residual."]
    subject = made[35:65, 45:85]
    return float(np.abs(subject - np.float32((0.9, 0.3, 0.1))).max())


def test_one_that_is_not_there_says_where_to_get_it(client, pictures):
    setup = matte_setup(client.image(pictures[1], "plate.exr"), "absent", model="bgm2020")
    with pytest.raises(grpc.RpcError) as caught:
        list(client.matte(setup, []))
    told = detail(caught.value)
    assert told.reason == error_pb2.MODEL_UNKNOWN
    assert "not on this machine" in told.message
    assert "netG_epoch_" in told.next_step
    assert "models add" in told.next_step
