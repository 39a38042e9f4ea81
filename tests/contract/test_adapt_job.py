"""The job `adapt` over the wire: its file, its model, its turns on the device. What it learns is for unit tests."""

import json
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
import truth_shots
from engine_client import frames, matte_setup, outcomes, plate
from gated_compute import GatedCompute
from safetensors.torch import load_file

from engine.errors import EngineError
from engine.evaluation.shot import exr
from engine.network.table import card, load_network
from engine.service.job_kinds import adapt
from engine.training.adaptation.held_out import Measured
from engine.training.adaptation.model_file import model_bytes
from engine.training.adaptation.wish import Adapted
from host_bridge.adaptation import AdaptOptions, adaptation_from_json, adaptation_job
from host_bridge.cancellation import Cancellation
from host_bridge.connection.address import Address
from host_bridge.connection.client import Engine
from host_bridge.engine_job import run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.files.content import Hasher
from host_bridge.options import MatteOptions
from host_bridge.wire.v1 import matte_pb2

go_on = threading.Event()
helps = threading.Event()


class Rehearsed:
    """An adaptation whose steps take no time, and whose model is the shipped one, a little changed."""

    def __init__(self, wish, session):
        wish.check()
        self.wish, self.result, self.session = wish, None, session

    def steps(self):
        for number, load in self.wish.frames:
            assert load().number == number
            yield 0.1, f"keying frame {number}"
        for step in range(2000):
            if go_on.is_set():
                break
            time.sleep(0.005)
            yield 0.5, f"learning, step {step}"
        else:
            raise EngineError("INTERNAL", "Nobody else had a turn.", "")
        weights = {name: value * 1.001 for name, value in load_network("platenet", "cpu").state_dict().items()}
        data = model_bytes(weights, card("platenet"), {"clip": "frames 1-5"})
        before, after = Measured(3.0, 1.0), Measured(2.0, 1.0)
        self.result = Adapted(data, helps.is_set(), before, after, 7, 1.5, (1, 3, 4, 5), (2,), "platenet")
        yield 1.0, "done"


class Compute(GatedCompute):
    def session(self, device):
        return f"session of {device}"


@pytest.fixture
def engine(serve_here, monkeypatch, tmp_path):
    go_on.set()
    helps.set()
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(adapt, "Adaptation", Rehearsed)
    client = serve_here(Compute())
    with closing(Engine(Address(client.address, client.token))) as connected:
        yield connected, client


@pytest.fixture
def options(tmp_path):
    shot = truth_shots.shot(count=5)
    (tmp_path / "shot").mkdir()
    for number, frame in enumerate(shot.frames, 1):
        (tmp_path / "shot" / f"f.{number:04d}.exr").write_bytes(exr(frame, half=True))
    (tmp_path / "plate.exr").write_bytes(exr(shot.plate, half=True))
    return MatteOptions(
        frames=str(tmp_path / "shot" / "f.####.exr"),
        clean_plate=str(tmp_path / "plate.exr"),
        output=str(tmp_path / "shot.safetensors"),
    )


def run(engine, options, heard=lambda _: None, cancellation=None, **wish):
    job = adaptation_job(options, AdaptOptions(**wish), Hasher())
    return json.loads(run_engine_job(job, engine, heard, cancellation or Cancellation()).json)


def test_the_model_arrives_as_a_file_and_serves_under_its_name(engine, options, tmp_path):
    connected, client = engine
    heard = []
    told = run(connected, options, heard.append, name="shot-1")
    assert (told["helped"], told["before"], told["after"], told["name"]) == (True, 3.0, 2.0, "shot-1")
    assert [event.message for event in heard][:2] == ["keying frame 1", "keying frame 2"]
    assert load_file(tmp_path / "shot.safetensors").keys() == load_network("platenet", "cpu").state_dict().keys()
    models = {model.name: model for model in client.describe().models}
    assert models["shot-1"].commercial_use
    identity = connected.identify("cpu")
    keys = [identity.as_json(matte_pb2.Knobs(model=name))["weights"] for name in ("platenet", "shot-1")]
    assert keys == [models["platenet"].weights_sha256, models["shot-1"].weights_sha256]
    assert keys[0] != keys[1]
    setup = matte_setup(plate(client), "job", model="shot-1")
    assert outcomes(client.matte(setup, frames(client, range(1, 2)))) == {1: b"frame"}
    assert not list((tmp_path / "home" / "adaptations").glob("*/*"))


def test_what_did_not_help_leaves_the_model_of_that_name(engine, options):
    connected, client = engine
    run(connected, options, name="shot-1")
    known = {model.name: model.weights_sha256 for model in client.describe().models}
    helps.clear()
    again = replace(options, overwrite=True)
    assert [run(connected, again, name=name)["name"] for name in ("shot-1", "shot-2")] == ["", ""]
    assert {model.name: model.weights_sha256 for model in client.describe().models} == known


def test_other_clients_have_their_turn_meanwhile(engine, options):
    connected, client = engine
    go_on.clear()
    told = []
    learning = threading.Event()
    thread = threading.Thread(
        target=lambda: told.append(run(connected, options, lambda e: "learning" in e.message and learning.set()))
    )
    thread.start()
    assert learning.wait(30)
    assert outcomes(client.matte(matte_setup(plate(client)), frames(client, range(1, 3)))).keys() == {1, 2}
    assert not told
    go_on.set()
    thread.join(30)
    assert told[0]["steps"] == 7


def test_cancelling_leaves_no_file_and_no_model(engine, options, tmp_path):
    connected, client = engine
    go_on.clear()
    cancellation = Cancellation()
    with pytest.raises(BridgeError) as caught:
        run(connected, options, lambda _: cancellation.cancel(), cancellation, name="shot-1")
    assert caught.value.reason == "CANCELLED"
    assert not (tmp_path / "shot.safetensors").exists()
    assert "shot-1" not in {model.name for model in client.describe().models}


def test_a_clip_too_short_is_refused_by_the_engine(engine, options):
    one = MatteOptions(**{**vars(options), "frame_range": "2"})
    with pytest.raises(BridgeError, match="one frame"):
        run(engine[0], one)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"output": "/tmp/shot.exr"}, "no name for a model"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"name": 3}, "Field name cannot be 3"),
        ({"seconds": "long"}, "Field seconds cannot be 'long'"),
        ({"colour": "red"}, "Unknown field colour"),
    ],
)
def test_what_is_wrong_with_a_call_of_the_link_is_said(options, changes, said):
    values = {"frames": options.frames, "clean_plate": options.clean_plate, "output": options.output, **changes}
    with pytest.raises(BridgeError, match=said):
        adaptation_job(*adaptation_from_json(values), Hasher())
