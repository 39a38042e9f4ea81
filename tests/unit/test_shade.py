"""What a shadow explains: only what has its colour and the plate's texture, near it, and where the network doubts."""

import cv2
import numpy as np
import pytest
from scenes import shot, with_grain

from engine.pipeline.solve import solve
from engine.pipeline.solve.shade import explained
from engine.settings import Knobs
from engine.values import Matte, Photometric, Plate

SIZE = (96, 160)
SHADE = np.array((0.28, 0.3, 0.35), np.float32)
FIT = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((2e-5, 2e-4),) * 3)
DOUBTED = np.s_[60:80, 70:90]
"""Shadow where the network says half subject. In the blackest of the set's texture nobody can tell."""


@pytest.fixture(scope="module")
def background():
    return shot(SIZE, 3)


def scene(background, colour=SHADE, doubt=0.5):
    """A shadow in the lower half, of which the network doubts a part, and the true ratio."""
    cover = np.zeros(SIZE, np.float32)
    cover[50:90, 30:120] = 1
    ratio = 1 - cv2.GaussianBlur(cover, (0, 0), 3)[..., None] * (1 - SHADE)
    alpha, head = np.zeros(SIZE, np.float32), np.repeat(ratio.mean(2, keepdims=True), 3, 2)
    true = ratio.copy()
    ratio[DOUBTED] = colour
    alpha[DOUBTED], head[DOUBTED] = doubt, 0.8
    frame = with_grain(background * ratio, 5)
    plate = Plate(with_grain(background, 6), np.ones(SIZE, bool))
    return frame, plate, Matte(alpha, head.astype(np.float32), np.zeros(SIZE, np.float32), frame), true


def within(area):
    return area[64:76, 74:86]


def test_doubted_shadow_is_no_subject_and_has_its_colour(background):
    frame, plate, matte, true = scene(background)
    solved = solve(frame, plate, matte, FIT, Knobs(shadow_color="rgb"), matte.alpha * 0, matte.alpha * 0)
    assert (within(solved.alpha) <= 0.1).mean() > 0.85
    assert np.abs(within(solved.shadow_ratio) - within(true)).mean() < 0.03
    assert np.abs(solved.residual[DOUBTED]).mean() < np.abs(frame[DOUBTED]).mean() / 10


def test_shadow_is_none_of_the_subject_up_to_its_edge(background):
    frame, plate, matte, _ = scene(background)
    inside = np.s_[60:80, 78:82]
    frame[inside], matte.alpha[inside], matte.shadow[inside] = 0.9, 1, 1
    beside = np.zeros(SIZE, bool)
    beside[62:78, 75:77] = True
    changed, _ = explained(frame, plate, matte, FIT)
    assert (changed.alpha[beside] <= 0.1).mean() > 0.85
    assert (changed.alpha[inside] == 1).all()


def test_dark_hair_beside_shadow_keeps_its_soft_edge(background):
    """Four px of it: half covered, black, on a set without texture, of the shadow's own colour."""
    frame, plate, matte, _ = scene(background)
    big = 5  # the edge's width is a share of the picture
    frame, rgb = (cv2.resize(each, None, fx=big, fy=big) for each in (frame, plate.rgb))
    alpha, shadow = (np.repeat(np.repeat(each, big, 0), big, 1) for each in (matte.alpha, matte.shadow))
    matte = Matte(alpha, shadow, np.zeros_like(alpha), frame)
    head, hair = np.s_[300:400, 380:430], np.s_[300:400, 377:380]
    alpha[head], alpha[hair] = 1, 0.5
    changed, _ = explained(frame, Plate(rgb, np.ones(alpha.shape, bool)), matte, FIT)
    assert changed.alpha[hair].min() > 0.45
    assert (changed.alpha[310:390, 355:365] <= 0.1).mean() > 0.85


@pytest.mark.parametrize("colour", [(0.5, 0.28, 0.2), (0.2, 0.3, 0.5), (1.6, 1.5, 1.4)])
def test_another_colour_is_left_to_the_network(background, colour):
    frame, plate, matte, _ = scene(background, np.float32(colour))
    changed, share = explained(frame, plate, matte, FIT)
    np.testing.assert_allclose(within(changed.alpha), 0.5, atol=0.02)
    assert within(share).max() < 0.05


def test_another_texture_is_left_to_the_network(background):
    frame, plate, matte, _ = scene(background)
    frame[DOUBTED] = (shot(SIZE, 99) * SHADE)[DOUBTED]
    changed, _ = explained(frame, plate, matte, FIT)
    assert within(changed.alpha).mean() > 0.4


def test_what_the_network_is_sure_of_stays(background):
    frame, plate, matte, _ = scene(background, doubt=1.0)
    changed, _ = explained(frame, plate, matte, FIT)
    assert (changed.alpha[DOUBTED] == 1).all()


def test_without_sure_shadow_nothing_is_explained_by_it(background):
    frame, plate, matte, _ = scene(background)
    lit = Matte(matte.alpha, np.ones_like(matte.shadow), matte.uncertainty, matte.foreground)
    changed, share = explained(frame, plate, lit, FIT)
    assert changed is lit
    assert not share.any()


def test_far_from_the_shadow_darkness_is_hair(background):
    frame, plate, matte, _ = scene(background)
    strands = np.s_[5:15, 60:100]
    frame[strands], matte.alpha[strands] = (background * SHADE)[strands], 0.5
    changed, _ = explained(frame, plate, matte, FIT)
    np.testing.assert_allclose(changed.alpha[strands], 0.5, atol=1e-6)


def test_black_frames_and_plates_are_no_trouble(background):
    _, plate, matte, _ = scene(background)
    nothing = np.zeros_like(plate.rgb)
    for frame, clean in (
        (nothing, plate),
        (plate.rgb, Plate(nothing, plate.valid)),
        (nothing, Plate(nothing, plate.valid)),
    ):
        changed, share = explained(frame, clean, matte, FIT)
        assert np.isfinite(changed.alpha).all()
        assert np.isfinite(share).all()
