"""What one homography cannot explain: two depths, lens and shutter; and that a subject is never taken for any of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scenes

from engine.pipeline.registration import register
from engine.pipeline.registration.alignment import align
from engine.pipeline.registration.feature_image import feature_images
from engine.pipeline.registration.refine import refine
from engine.synthesis.two_depths import View, furnish, hand_held

SIZE, MARGIN = (432, 768), 40


@cache
def furnished(seed):
    size = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    return furnish(scenes.shot(size, seed), scenes.shot(size, seed + 50), MARGIN, np.random.default_rng(seed))


def pictures(room, view, subject=0.2):
    """Frame and plate with grain, of other exposures, and how much of the frame is subject."""
    frame = scenes.with_subject(room.picture(view), subject)
    plate = room.picture(View()) * np.float32(1.3)
    return scenes.with_grain(frame, 5), scenes.with_grain(plate, 6), scenes.figure(SIZE, subject)


def field_of(frame, plate):
    """The homography, and the field on top of it."""
    pair = feature_images(frame, plate)
    alignment = align(pair, np.eye(3))
    return alignment.homography, refine(pair, alignment, SIZE)


def places(homography, field):
    """``(H, W, 2)``: where in the plate each frame pixel's colour was taken from."""
    x, y = scenes.pixels(SIZE)
    way = 0 if field is None else field.way
    at = np.stack([x, y, np.ones_like(x)], -1)
    at[..., :2] += way
    back = at @ np.linalg.inv(homography).T
    return back[..., :2] / back[..., 2:]


def missed(found, true):
    return np.hypot(*np.moveaxis(found - true, 2, 0))


@pytest.mark.parametrize(("reach", "parallax"), [(5, 1), (12, 5), (20, 8)])
def test_two_depths_register_below_a_pixel(reach, parallax):
    """At 1080 lines 95 % lie below 1 px; of so small a picture the edges between depths are a larger share."""
    room = furnished(1)
    view = hand_held(np.random.default_rng(reach), reach, parallax)
    frame, plate, subject = pictures(room, view)
    true, seen = room.truth(view)
    homography, field = field_of(frame, plate)
    background = seen & (subject == 0)
    error = missed(places(homography, field), true)[background]
    assert np.median(error) < 0.1
    assert np.percentile(error, 95) < 1.3
    assert np.percentile(missed(places(homography, None), true)[background], 95) > 0.9 * parallax


@pytest.mark.parametrize("bend", [{"breathing": 0.006}, {"rolling": 1.5}])
def test_lens_and_shutter_are_followed(bend):
    room = furnished(2)
    view = replace(hand_held(np.random.default_rng(4), 8, 0), **bend)
    frame, plate, subject = pictures(room, view)
    true, seen = room.truth(view)
    homography, field = field_of(frame, plate)
    background = seen & (subject == 0)
    before, after = (missed(places(homography, one), true)[background] for one in (None, field))
    assert np.median(after) < 0.1
    assert np.percentile(after, 95) < min(0.5, np.percentile(before, 95) / 1.5)


@pytest.mark.parametrize("subject", [0.0, 0.3, 0.6])
def test_what_a_homography_explains_keeps_it(subject):
    room = furnished(3)
    frame, plate, _ = pictures(room, hand_held(np.random.default_rng(5), 12, 0), subject)
    assert field_of(frame, plate)[1] is None


def test_the_plate_is_not_dragged_onto_a_subject_dressed_in_it():
    room = furnished(1)
    view = hand_held(np.random.default_rng(12), 12, 5)
    plain, plate, subject = pictures(room, view)
    cover = subject[..., None]
    twin = (1 - cover) * plain + cover * np.roll(room.picture(view), (-14, 9), (0, 1))
    homography, field = field_of(twin.astype(np.float32), plate)
    true, seen = room.truth(view)
    inside = (subject > 0.5) & seen
    error = missed(places(homography, field), true)[inside]
    assert np.hypot(-14, 9) > 16
    assert error.max() < 10
    assert np.median(error) < 5


def test_registered_plate_is_finite_zero_where_unknown_and_says_how_well_it_lies():
    room = furnished(1)
    view = hand_held(np.random.default_rng(12), 12, 5)
    frame, plate, subject = pictures(room, view)
    frame[100:104, 40:44], plate[200:204, 60:64] = 500.0, -0.25
    registration, registered = register(scenes.image(frame), scenes.image(plate, "plate.exr"), "auto")
    assert not registration.locked_off
    assert registration.residual_median < 0.1
    assert registration.residual_p95 < 0.5
    assert registration.inliers > 300
    np.testing.assert_array_equal(registered.rgb[~registered.valid], 0)
    assert np.isfinite(registered.rgb).all()
    behind = room.picture(view)
    background = registered.valid & (subject == 0)
    stops = np.abs(np.log2(np.maximum(registered.rgb / 1.3, 1e-3) / np.maximum(behind, 1e-3)))[background]
    assert np.median(stops) < 0.1


def test_what_a_near_thing_hid_from_the_plate_is_unknown_more_often_than_what_it_saw():
    room = furnished(1)
    view = hand_held(np.random.default_rng(20), 20, 8)
    frame, plate, subject = pictures(room, view)
    true, seen = room.truth(view)
    _, registered = register(scenes.image(frame), scenes.image(plate), "auto")
    inside = ((true > 2) & (true < (SIZE[1] - 2, SIZE[0] - 2))).all(2) & (subject == 0)
    hidden, shown = (~registered.valid[inside & kind].astype(bool) for kind in (~seen, seen))
    assert hidden.mean() > 5 * shown.mean()
    assert shown.mean() < 0.03
