"""Adapting to a clip: what is learned is measured, kept only where it helps, and can be ended at any time."""

import errno
from dataclasses import replace

import numpy as np
import pytest
import torch
import truth_shots
from safetensors.torch import load

from engine.errors import EngineError
from engine.evaluation.keyers import open_session
from engine.evaluation.shot import as_source
from engine.network import library, table
from engine.pipeline.colour import SHIPPED
from engine.settings import FrameJob, Knobs, MatteJob
from engine.training.adaptation import adaptation, exact, held_out, trainers
from engine.training.adaptation.adaptation import Adaptation
from engine.training.adaptation.clip import Clip
from engine.training.adaptation.model_file import register
from engine.training.adaptation.samples import ClipSource
from engine.training.adaptation.wish import Wish

JOB = MatteJob(Knobs(), (), SHIPPED, "lin_rec709", "cpu")


class Clock:
    """Every look at it takes half a second, so that a budget is a number of looks."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.5
        return self.now


def frames_of(shot):
    plate = as_source(shot.plate, "plate.exr", shot.space)
    pairs = zip(shot.numbers, shot.frames, strict=True)
    jobs = {number: FrameJob(number, as_source(frame, f"{number}.exr", shot.space), plate) for number, frame in pairs}
    return [(number, lambda number=number: jobs[number]) for number in shot.numbers]


@pytest.fixture(scope="module", autouse=True)
def few_samples():
    """Enough to see that measuring works."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_out, "_BATCHES", 1)
        patch.setattr(trainers, "_COUNT", 2)
        yield


@pytest.fixture(scope="module")
def session():
    torch.set_num_threads(1)
    return open_session("cpu")


@pytest.fixture(scope="module")
def frames():
    return frames_of(truth_shots.shot(count=5, grain=1e-4))


@pytest.fixture(scope="module")
def keyed(frames, session, tmp_path_factory):
    """A folder with the keyed clip, to be copied: keying takes longest."""
    folder = tmp_path_factory.mktemp("keyed")
    steps = Adaptation(wish(frames, folder), session).steps()
    while "measuring" not in next(steps)[1]:
        pass
    steps.close()
    return folder


@pytest.fixture
def folder(keyed, tmp_path):
    place = tmp_path / "state"
    place.mkdir()
    for path in keyed.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return place


def wish(frames, folder, seconds=12.0, **fields):
    return Wish(frames, JOB, folder, seconds=seconds, clock=Clock(), **fields)


def finished(one):
    for _ in one.steps():
        pass
    return one.result


def test_an_adapted_model_is_measured_and_can_be_used(frames, folder, session, tmp_path, monkeypatch):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))
    before = table.load_network("platenet", "cpu").state_dict()
    adapted = finished(Adaptation(wish(frames, folder), session))
    assert adapted.steps > 2
    assert not set(adapted.learned) & set(adapted.held_out)
    assert adapted.helped is adapted.after.helps(adapted.before)
    assert not folder.exists()
    weights = load(adapted.data)
    same = all(torch.equal(value, weights[name]) for name, value in before.items())
    assert same is not adapted.helped
    card = register(adapted.data, "shot")
    assert (card.licence, card.commercial_use) == (table.card("platenet").licence, True)
    assert card.origin.startswith("adapted from platenet")
    assert session.network("shot") is not session.network("platenet")
    still = table.load_network("platenet", "cpu").state_dict()
    assert all(torch.equal(value, still[name]) for name, value in before.items())
    assert not [verdict for verdict in library.verify() if verdict.fault]


def test_it_goes_on_where_it_was_ended(frames, folder, session):
    steps = Adaptation(wish(frames, folder, 15), session).steps()
    while "learning" not in (told := next(steps)[1]):
        pass
    assert not (folder / "best").exists()
    steps.close()
    taken = int(told.split()[-1])
    again = Adaptation(wish(frames, folder, 15), session)
    texts = [text for _, text in again.steps()]
    first = next(int(text.split()[-1]) for text in texts if "learning" in text)
    assert taken < first <= taken + 2
    assert again.result.steps >= taken
    assert "done" in texts


def test_what_makes_it_worse_is_not_kept(frames, folder, session, monkeypatch):
    monkeypatch.setattr(trainers, "_EXACT_RATE", 0.5)
    losses = exact.step_losses
    monkeypatch.setattr(exact, "step_losses", lambda *given: {"up": -sum(losses(*given).values())})
    adapted = finished(Adaptation(wish(frames, folder), session))
    assert not adapted.helped
    assert "did not help" in adapted.sentence
    own, weights = table.load_network("platenet", "cpu").state_dict(), load(adapted.data)
    assert all(torch.equal(value, weights[name]) for name, value in own.items())


def test_a_loss_that_is_no_number_ends_the_learning(frames, folder, session, monkeypatch):
    losses = exact.step_losses
    calls = iter([1.0, 1.0])
    monkeypatch.setattr(
        exact, "step_losses", lambda *given: {"sum": sum(losses(*given).values()) * next(calls, float("nan"))}
    )
    adapted = finished(Adaptation(wish(frames, folder), session))
    assert adapted.steps == 2
    assert all(bool(torch.isfinite(value).all()) for value in load(adapted.data).values())


def test_the_adversarial_method_learns_too(frames, folder, session):
    adapted = finished(Adaptation(wish(frames, folder, 10, method="adversarial"), session))
    assert adapted.steps >= 2
    assert np.isfinite(adapted.after.exact)


@pytest.mark.parametrize("count", [1, 3])
def test_a_clip_too_short_is_refused(frames, tmp_path, session, count):
    with pytest.raises(EngineError, match="measured on others"):
        Adaptation(wish(frames[:count], tmp_path), session)


def test_a_budget_that_is_no_time_is_refused(frames, tmp_path, session):
    with pytest.raises(EngineError, match="too few"):
        Adaptation(wish(frames, tmp_path, float("nan")), session)


def test_a_clip_without_a_subject_is_refused(session, tmp_path):
    shot = truth_shots.shot(count=4)
    empty = replace(shot, frames=[shot.plate.copy() for _ in shot.frames])
    with pytest.raises(EngineError, match="certain in 0 of 4 frames"):
        finished(Adaptation(wish(frames_of(empty), tmp_path), session))


def test_another_architecture_is_refused_for_exact_targets(frames, tmp_path, session, monkeypatch):
    other = replace(table.card("platenet"), architecture="bgmv2-resnet50")
    monkeypatch.setattr(adaptation, "card", lambda name: other)
    for method in ("exact", "adversarial"):
        with pytest.raises(EngineError) as caught:
            Adaptation(wish(frames, tmp_path, method=method), session)
        assert caught.value.reason == "UNSUPPORTED"


def fail(error):
    def raising(*_args, **_named):
        raise error

    return raising


def test_memory_that_runs_out_is_told(frames, folder, session, monkeypatch):
    monkeypatch.setattr(exact, "step_losses", fail(torch.OutOfMemoryError("no more")))
    with pytest.raises(EngineError) as caught:
        finished(Adaptation(wish(frames, folder), session))
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_a_full_disk_is_told_and_the_state_stays(frames, folder, session, monkeypatch):
    monkeypatch.setattr(adaptation, "save_checkpoint", fail(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(EngineError, match="No space left") as caught:
        finished(Adaptation(wish(frames, folder), session))
    assert caught.value.reason == "LIMIT_EXCEEDED"
    assert (folder / "plate.npy").exists()


def test_samples_obey_the_equation_and_repeat(keyed, frames):
    clip = Clip(keyed, tuple(number for number, _ in frames))
    source = ClipSource(clip, clip.learned, 1, 4)
    batch, again = source.batch(3, 0.0), ClipSource(clip, clip.learned, 1, 4).batch(3, 0.5)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert float(batch["alpha"].max()) == 1
    behind = batch["frame"] - batch["foreground"]
    off = (behind - (1 - batch["alpha"]) * batch["shadow"] * batch["plate"]).abs()
    assert float(off.median()) < 0.02


def test_what_is_not_trusted_moves_no_weight(keyed, frames):
    clip = Clip(keyed, tuple(number for number, _ in frames))
    batch = ClipSource(clip, clip.learned, 1, 2).batch(0, 0.0)
    network = table.load_network("platenet", "cpu")
    wrong = {**batch, "alpha": 1 - batch["alpha"], "trust": torch.zeros_like(batch["trust"])}
    torch.manual_seed(1)
    assert sum(exact.step_losses(network, wrong).values()).item() == 0
    torch.manual_seed(1)
    assert sum(exact.step_losses(network, {**wrong, "trust": batch["trust"]}).values()) > 1


def test_samples_carry_the_grain_of_their_frame(keyed, frames):
    clip = Clip(keyed, tuple(number for number, _ in frames))
    noise = ClipSource(clip, clip.learned, 1, 4).batch(0, 0.0)["noise"]
    known = [torch.from_numpy(clip.noise(number)) for number in clip.learned]
    assert all(any(torch.equal(each, one) for one in known) for each in noise)
