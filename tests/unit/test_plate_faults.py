"""Faults of a plate that can be keyed with: each is said in a sentence, and a good plate is not accused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scenes

from engine.errors import EngineError
from engine.pipeline.plates.faults import ghost_share, plate_faults
from engine.pipeline.registration import clipped_share, register
from engine.values import Registration, Solution

SIZE = (180, 320)
NOBODY = np.zeros(SIZE, np.float32)
STILL = Registration(np.eye(3), True, 0.0, 0.0, 100)


@pytest.fixture(scope="module")
def empty():
    return scenes.with_grain(scenes.shot(SIZE, 3), 1)


@pytest.fixture(scope="module")
def frame(empty):
    return scenes.with_subject(empty, 0.15)


def solved(plate, alpha):
    nothing = np.zeros((*SIZE, 3), np.float32)
    flat = np.zeros(SIZE, np.float32)
    ones = np.ones(SIZE, np.bool_)
    return Solution(alpha, nothing, nothing + 1, nothing, plate, ones, flat, flat, nothing, flat, True)


def said(frame, plate, alpha, placed=STILL):
    return list(plate_faults(scenes.image(frame), scenes.image(plate), placed, solved(plate, alpha)))


def beside(picture, alpha, shift):
    """A picture, and an alpha, of the subject some px to the side."""
    moved = np.roll(alpha, shift, axis=1)
    subject = np.roll(scenes.shot(SIZE, 99), shift, axis=1)
    return moved[..., None] * subject + (1 - moved[..., None]) * picture, moved


def test_an_empty_plate_is_accused_of_nothing(frame, empty):
    assert said(frame, empty, scenes.figure(SIZE, 0.15)) == []


@pytest.mark.parametrize("shift", [-130, 60])
def test_the_subject_in_the_plate_is_seen_by_its_outline(frame, empty, shift):
    alpha = scenes.figure(SIZE, 0.15)
    plate, moved = beside(empty, alpha, shift)
    both = np.maximum(alpha, moved)
    assert ghost_share(frame, plate, both, np.ones(SIZE, np.bool_)) > 0.25
    assert ghost_share(frame, empty, alpha, np.ones(SIZE, np.bool_)) < 0.05
    assert any("seems to hold the subject" in sentence for sentence in said(frame, plate, both))


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_matte_without_an_outline_accuses_nobody(frame, empty, alpha):
    assert ghost_share(frame, empty, np.full(SIZE, alpha, np.float32), np.ones(SIZE, np.bool_)) == 0


def test_a_black_plate_is_said(frame):
    black = scenes.with_grain(np.zeros((*SIZE, 3), np.float32), 2, 1e-8, 0)
    assert said(frame, black, scenes.figure(SIZE, 0.15))[0].startswith("The clean plate is black")


def test_a_clipped_plate_is_said_with_its_share(frame, empty):
    top = float(np.quantile(empty, 0.8))
    clipped = np.minimum(empty / np.float32(top), 1)
    assert 0.1 < clipped_share(clipped) < 0.6
    assert f"{clipped_share(clipped):.0%} of the clean plate are clipped" in said(frame, clipped, NOBODY)[0]
    lamp = empty.copy()
    lamp[:8, :8] = 40
    assert clipped_share(lamp) < 0.01


@pytest.mark.parametrize(("zoom", "warned"), [(1.004, False), (1.02, False), (1.12, True), (1 / 1.12, True)])
def test_a_zoom_during_the_shot_is_said(frame, empty, zoom, warned):
    moved = replace(STILL, homography=scenes.camera_move(SIZE, zoom=zoom), locked_off=False)
    sentences = said(frame, empty, scenes.figure(SIZE, 0.15), moved)
    assert [sentence for sentence in sentences if "another zoom" in sentence] == sentences
    assert bool(sentences) == warned


@pytest.mark.parametrize(("value", "fault"), [(0.0, "is black"), (1.0, "is clipped almost everywhere")])
def test_a_plate_that_shows_nothing_is_refused_with_its_reason(frame, value, fault):
    with pytest.raises(EngineError, match=rf"night\.exr {fault}"):
        register(scenes.image(frame), scenes.image(np.full((*SIZE, 3), value, np.float32), "night.exr"), "auto")
