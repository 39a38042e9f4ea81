"""Which files fit a frame and where they lie on it: one rule for clean plates and for mattes."""

from dataclasses import replace

import numpy as np
import pytest
from exr_files import source, write
from scenes import image

from engine.errors import EngineError
from engine.pipeline.decode import decode, decode_matte
from engine.pipeline.registration import register
from engine.values import Frame, Window

WINDOW = Window(0, 0, 6, 4)
PIXELS = np.random.default_rng(0).random((4, 6, 3), np.float32)


def frame_of(aspect, display=WINDOW, data=WINDOW):
    return replace(image(np.zeros((*data.size, 3))), frame=Frame(data, display, aspect))


def matte_lies(path, frame):
    return decode_matte(source(path), frame.frame)


def plate_lies(path, frame):
    """The plate's first channel, as the matte's file has its matte there."""
    return register(frame, decode(source(path)), "off")[1].rgb[..., 0]


STAGES = pytest.mark.parametrize("lies", [matte_lies, plate_lies])


@STAGES
@pytest.mark.parametrize(("own", "of_frame"), [(2.0, 2.0), (1.9999, 2.0), (2.0, 1.9999), (1.0, 1.0005)])
def test_pixel_aspects_that_hosts_round_differently_are_one(tmp_path, lies, own, of_frame):
    path = write(tmp_path / "a.exr", PIXELS, attributes={"PixelAspectRatio": own})
    np.testing.assert_array_equal(lies(path, frame_of(of_frame)), PIXELS[..., 0])


@STAGES
@pytest.mark.parametrize("of_frame", [1.0, 2.0])
def test_a_png_without_an_aspect_fits_any(tmp_path, lies, of_frame):
    path = write(tmp_path / "a.png", np.full((4, 6, 3), 255, np.uint8), depth="uint8")
    assert not decode(source(path)).frame.states_aspect
    assert lies(path, frame_of(of_frame)).min() == 1.0


@STAGES
@pytest.mark.parametrize(
    ("own", "frame"), [(1.0, frame_of(2.0)), (1.98, frame_of(2.0)), (1.0, frame_of(1.0, Window(0, 0, 7, 4)))]
)
def test_another_format_is_refused_with_both_stated(tmp_path, lies, own, frame):
    path = write(tmp_path / "a.exr", PIXELS, attributes={"PixelAspectRatio": own})
    with pytest.raises(EngineError) as caught:
        lies(path, frame)
    assert caught.value.reason == "SIZE_MISMATCH"
    for stated in (f"6 x 4 with pixel aspect {own:g}", frame.frame.format):
        assert stated in caught.value.message


@STAGES
def test_a_display_window_elsewhere_is_no_shift(tmp_path, lies):
    path = write(tmp_path / "a.exr", PIXELS, data=(10, 10), display=(10, 10, 6, 4))
    np.testing.assert_array_equal(lies(path, frame_of(1.0)), PIXELS[..., 0])


@STAGES
def test_a_crop_lies_by_its_display_window(tmp_path, lies):
    path = write(tmp_path / "a.exr", PIXELS[1:3, 2:5], data=(102, 51), display=(100, 50, 6, 4))
    frame = frame_of(1.0, display=Window(-7, 30, 6, 4), data=Window(-8, 29, 8, 6))
    placed = lies(path, frame)
    np.testing.assert_array_equal(placed[2:4, 3:6], PIXELS[1:3, 2:5, 0])
    assert np.count_nonzero(placed) == 6


def test_the_translation_says_where_the_plate_lies(tmp_path):
    path = write(tmp_path / "a.exr", PIXELS[1:3, 2:5], data=(102, 51), display=(100, 50, 6, 4))
    frame = frame_of(1.0, display=Window(-7, 30, 6, 4), data=Window(-8, 29, 8, 6))
    registration, placed = register(frame, decode(source(path)), "off")
    np.testing.assert_array_equal(registration.homography[:2, 2], [3, 2])
    assert placed.valid.sum() == 6
