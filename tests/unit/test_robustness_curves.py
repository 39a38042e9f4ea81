"""The curves: every keyer at every level of every fault, on the same spoilt shots."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import truth_shots

from engine.evaluation.keyers import Keyed
from engine.evaluation.robustness import AXES, curves

LEVELS = sum(len(axis.levels) * len(axis.modes) for axis in AXES)


@dataclass
class Constant:
    """A keyer that answers every frame with one grey, and remembers what it was shown."""

    name: str
    grey: float
    refused: str = ""
    seen: list = field(default_factory=list)

    def key(self, shot, mode):
        self.seen.append((shot, mode))
        return [
            Keyed(np.full_like(alpha, self.grey), np.zeros_like(shot.plate), refused=self.refused)
            for alpha in shot.alphas
        ]


@pytest.fixture(scope="module")
def shots():
    return [truth_shots.shot("a", count=3), truth_shots.shot("b", count=1)]


@pytest.fixture(scope="module")
def measured(shots):
    """Two keyers and the points of both."""
    keyers = [Constant("black", 0.0), Constant("grey", 0.5, refused="why")]
    return keyers, list(curves(shots, keyers))


def test_every_level_of_every_fault_is_measured_for_everybody(measured):
    _, points = measured
    wanted = [
        (axis.key, level, mode, name)
        for axis in AXES
        for level in axis.levels
        for mode in axis.modes
        for name in ("black", "grey")
    ]
    assert sorted((p.axis, p.level, p.mode, p.method) for p in points) == sorted(wanted)


def test_both_keyers_see_the_same_shots(measured):
    (first, second), _ = measured
    assert len(first.seen) == len(second.seen)
    for (one, mode), (other, other_mode) in zip(first.seen, second.seen, strict=True):
        assert one is other
        assert mode == other_mode


def test_the_middle_frame_stands_for_the_shot(measured, shots):
    (keyer, _), _ = measured
    assert {shot.numbers for shot, _ in keyer.seen if shot.name == "a"} == {(1002,)}
    assert all(len(shot.frames) == len(shot.alphas) == 1 for shot, _ in keyer.seen)


def test_errors_are_means_over_the_shots(measured, shots):
    _, points = measured
    (clean,) = (p for p in points if (p.axis, p.level, p.method) == ("grain", 0, "black"))
    truths = [shots[0].alphas[1], shots[1].alphas[0]]
    assert clean.mad == pytest.approx(1e3 * np.mean([truth.mean() for truth in truths]), rel=1e-5)
    assert clean.mse == pytest.approx(1e3 * np.mean([(truth**2).mean() for truth in truths]), rel=1e-5)


def test_refused_frames_are_counted(measured):
    _, points = measured
    assert {p.refused for p in points if p.method == "black"} == {0.0}
    assert {p.refused for p in points if p.method == "grey"} == {1.0}


def test_the_clean_shot_is_keyed_once(measured, shots):
    (keyer, _), points = measured
    faultless = sum(axis.none in axis.levels for axis in AXES if len(axis.modes) == 1)
    assert len(keyer.seen) == (LEVELS - faultless + 1) * len(shots)
    assert len({p.mad for p in points if p.method == "black" and p.level == 0 and p.axis != "shift"}) == 1


def test_faults_do_not_depend_on_the_company(shots, measured):
    (keyer, _), _ = measured
    alone = Constant("alone", 0.0)
    list(curves(shots[1:], [alone]))
    together = [shot for shot, _ in keyer.seen if shot.name == "b"]
    for (one, _), other in zip(alone.seen, together, strict=True):
        np.testing.assert_array_equal(one.frames[0], other.frames[0])
        np.testing.assert_array_equal(one.plate, other.plate)
