"""A clip that is looked through: cuts, repeats and frames left out are found, and nothing is found in a whole one."""

import cv2
import numpy as np
import pytest
import scenes

from engine.pipeline.continuity import continuity, glance, is_cut

SIZE = (135, 240)


def take(seed, count, held):
    """Frames of a set through which a box of another texture moves; by hand, within 2 px, or locked off."""
    base, box = scenes.shot(SIZE, seed), scenes.shot((80, 40), seed + 50)
    sway = np.sin(np.arange(count)[:, None] * (0.9, 1.3)) * (2 if held else 0)
    for index, (x, y) in enumerate(sway):
        picture = base.copy()
        picture[40:120, 20 + 4 * index : 60 + 4 * index] = box
        moved = cv2.warpAffine(picture, np.float32([[1, 0, x], [0, 1, y]]), SIZE[::-1], borderMode=cv2.BORDER_REFLECT)
        yield scenes.with_grain(moved, 100 * seed + index)


@pytest.fixture(scope="module", params=[False, True], ids=["locked-off", "held"])
def takes(request):
    """Twelve frames of a shot, and two of another."""
    return tuple([glance(frame) for frame in take(seed, count, request.param)] for seed, count in ((1, 12), (2, 2)))


def found(glances, numbers=None):
    clip = continuity(numbers or range(1001, 1001 + len(glances)), glances)
    return clip.cuts, clip.repeats, clip.leaps


def test_a_whole_take_has_nothing(takes):
    assert found(takes[0]) == ((), (), ())


def test_a_cut_is_found_once(takes):
    assert found(takes[0][:5] + takes[1])[0] == (1006,)


def test_a_cut_is_found_between_frames_that_are_no_neighbours(takes):
    assert found([*takes[0][:2], takes[1][0]], [1001, 1002, 1040])[0] == (1040,)


def test_a_frame_that_stands_twice_is_found(takes):
    first = takes[0]
    assert found([*first[:6], first[5], *first[6:]])[1] == (1007,)


def test_a_frame_that_was_left_out_is_found(takes):
    first = takes[0]
    assert found(first[:6] + first[7:])[2] == (1007,)


def test_a_lamp_is_no_cut():
    before, after = take(1, 2, held=True)
    assert not is_cut(glance(before), glance(3 * after))


def test_pictures_without_structure_are_no_cut_and_no_repeat():
    wall = [glance(np.full((64, 96, 3), value, np.float32)) for value in (0.2, 0.25, 0.3)]
    assert found(wall) == ((), (), ())


def test_one_frame_and_none_are_whole(takes):
    assert found(takes[0][:1]) == ((), (), ())
    assert found([]) == ((), (), ())


def test_another_format_is_a_cut(takes):
    assert is_cut(takes[0][0], glance(np.full((240, 135, 3), 0.2, np.float32)))
