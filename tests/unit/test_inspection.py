"""Frames against plates of known faults: each fault is found, measured about right, and found nowhere else."""

import cv2
import numpy as np
import pytest
import scenes

from engine.evaluation.shot import as_source
from engine.inspection.findings import of_plate
from engine.inspection.measure import Measured, measure
from engine.inspection.outcome import conclude
from engine.inspection.picture import draw
from engine.inspection.verdicts import judge
from engine.pipeline.continuity import Continuity
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.reporting.result import read_result
from engine.settings import DEFAULT_LAYERS, FrameJob, Knobs, MatteJob, Source
from engine.synthesis.grain import with_grain
from engine.synthesis.moving_set import moving_set
from engine.synthesis.walk_through import walk_through

SIZE = (144, 256)
NAMES = [
    "registration",
    "coverage",
    "exposure",
    "focus",
    "moving background",
    "shadow",
    "colours alike",
    "grain",
    "expected error",
]


@pytest.fixture(scope="module")
def session():
    return Session("cpu", 1 << 26)


@pytest.fixture(scope="module")
def look(session):
    """Measure a frame against a plate, both linear arrays."""
    job = MatteJob(Knobs(), DEFAULT_LAYERS, "platekey://studio", "ACEScg", "cpu")

    def one(frame, plate, number=1):
        images = (as_source(np.asarray(rgb, np.float32), "f.exr", "ACEScg") for rgb in (frame, plate))
        return measure(job, FrameJob(number, *images), session, lambda: None)

    return one


@pytest.fixture(scope="module")
def shot():
    return walk_through(SIZE, 48, 0)


@pytest.fixture(scope="module")
def clean(shot):
    return grainy(shot.clean(24), 5)


@pytest.fixture(scope="module")
def good(look, shot, clean):
    return look(shot.frame(22), clean)


def grainy(light, seed, iso=400):
    return with_grain(np.asarray(light, np.float32), iso, np.random.default_rng(seed))


def verdicts(*measured):
    return {line.name: line.verdict for line in judge(measured)}


def texts(*measured, plate=None, clip=None, count=9):
    return [found.text for found in conclude(measured, plate, clip or Continuity(), count).findings]


def test_a_good_plate_is_good_in_every_line(good, shot, clean):
    assert verdicts(good) == dict.fromkeys(NAMES, "good")
    assert texts(good, plate=clean) == []
    assert conclude([good], clean, Continuity(), 9).verdict == "good"
    alpha = shot.alpha(22) > 0.5
    found = good.look.regions.subject
    assert (alpha & found).sum() > 0.9 * (alpha | found).sum()


def test_grain_is_measured_as_it_was_made(good):
    assert good.grain == pytest.approx(0.021, rel=0.25)  # ISO 400, by engine.synthesis.grain


@pytest.mark.parametrize(("of_plate", "sign"), [(True, -1), (False, 1)], ids=["soft plate", "soft frame"])
def test_a_blur_is_found_and_whose_it_is(look, shot, clean, of_plate, sign):
    frame = shot.frame(22)
    if of_plate:
        one = look(frame, grainy(cv2.GaussianBlur(shot.clean(24), (0, 0), 1.2), 5))
    else:
        one = look(grainy(cv2.GaussianBlur(frame, (0, 0), 1.2), 5, 100), clean)
    assert 0.8 <= sign * one.focus <= 1.6
    assert verdicts(one)["focus"] != "good"
    assert ("the plate" if of_plate else "the frame") in judge([one])[3].figure


def test_the_error_that_is_expected_is_that_of_a_render(session, look, shot, clean):
    frame, plate = (as_source(np.asarray(rgb, np.float32), "f.exr", "ACEScg") for rgb in (shot.frame(4), clean))
    job = MatteJob(Knobs(), ("uncertainty",), "platekey://studio", "ACEScg", "cpu")
    data, _ = matte_frame(job, FrameJob(1, frame, plate), session, lambda _: None, lambda: False)
    rendered = read_result(Source("k.exr", "", data, "ACEScg")).uncertainty
    assert look(shot.frame(4), clean).uncertainty == pytest.approx(float(rendered.mean()), rel=0.02)


def test_what_shapes_the_files_does_not_matter(session, shot, clean):
    frame = shot.frame(22).copy()
    frame[:4, :4] = 1e5
    pictures = [as_source(np.asarray(rgb, np.float32), "f.exr", "ACEScg") for rgb in (frame, clean)]
    said = [
        measure(
            MatteJob(knobs, (), "platekey://studio", "ACEScg", "cpu"), FrameJob(1, *pictures), session, lambda: None
        )
        for knobs in (Knobs(), Knobs(depth="half", mix=0.0))
    ]
    assert said[0].uncertainty == said[1].uncertainty > 0


def test_the_share_of_a_shadow_is_measured(look, shot, clean):
    alpha = shot.alpha(22)
    leant = cv2.warpAffine(alpha, np.float32([[1, 0.3, 24], [0, 0.5, 64]]), SIZE[::-1])
    ratio = np.where(alpha > 0.5, 1, 1 - 0.6 * cv2.GaussianBlur(leant, (0, 0), 3))
    one = look(shot.frame(22) * ratio[..., None], clean)
    assert one.shadow == pytest.approx(((ratio < 0.9) & (alpha < 0.1)).mean(), rel=0.4)
    assert verdicts(one)["shadow"] == "watch"


def test_exposure_drifts_between_frames(look, shot, clean, good):
    one = look(2 * shot.frame(22), clean)
    line = judge([good, one])[2]
    assert line.value == pytest.approx(1, abs=0.05)
    assert line.verdict == "watch"


def test_leaves_in_the_wind_are_found_and_a_set_that_stands_still_is_not(look):
    leaves = moving_set(SIZE, 3)
    frame = grainy(leaves.at(30), 1)
    still, moved = (look(frame, grainy(leaves.at(time), 2)) for time in (30, 0))
    assert still.moving < 0.01
    assert moved.moving > 0.05
    assert verdicts(moved)["moving background"] == "bad"


def test_a_subject_in_the_plate_is_told_from_one_in_the_frame(look, shot, good):
    one = look(shot.frame(18), shot.frame(34))
    assert one.ghost > 0.005
    assert good.ghost == 0
    assert any("stands in the clean plate" in text for text in texts(one))


def test_interlaced_footage_is_found(look, shot, clean, good):
    frame = shot.frame(22)
    frame[1::2] = shot.frame(24)[1::2]
    one = look(frame, clean)
    assert any("interlaced" in text for text in texts(one))
    assert good.combed < 0.05


def test_a_plate_of_another_scene_is_said(look, shot):
    one = look(shot.frame(22), scenes.shot(SIZE, 5))
    assert one.refused
    assert verdicts(one) == {"registration": "bad"}
    assert any("another scene" in text for text in texts(one))


def test_frames_of_another_scene_after_a_cut_are_named(good):
    lost = Measured(1040, refused="The clean plate shows nothing that the frame shows.")
    sentences = texts(good, lost, clip=Continuity(cuts=(1030,)))
    assert any("frame 1040" in text and "after a cut" in text for text in sentences)
    assert any("frame 1030 begins another scene" in text for text in sentences)


def test_a_frame_without_a_subject_is_said(look, shot, clean):
    one = look(grainy(shot.clean(24), 8), clean)
    assert any("No subject" in text for text in texts(one))


def test_a_zoom_is_found(look, shot, clean, good):
    closer = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), 0, 1.05)
    one = look(cv2.warpAffine(shot.frame(22), closer, SIZE[::-1], flags=cv2.INTER_CUBIC), clean)
    assert one.zoom == pytest.approx(1.05, abs=0.005)
    assert any("zooms during the shot, by 5%" in text for text in texts(good, one))


def test_a_black_and_a_clipped_plate_are_said(clean):
    assert [found.verdict for found in of_plate(np.zeros((64, 96, 3), np.float32))] == ["bad"]
    bright = np.minimum(8 * clean, 1)
    assert "clipped" in next(iter(of_plate(np.asarray(bright, np.float32)))).text
    assert not list(of_plate(clean))
    assert not list(of_plate(np.full((64, 96, 3), 0.4, np.float32)))


def test_a_black_plate_is_not_called_another_scene():
    lost = Measured(1, refused="It shows nothing.")
    assert texts(lost, plate=np.zeros((64, 96, 3), np.float32)) == ["The clean plate is black."]


def test_a_clip_of_two_frames_is_said(good):
    assert any("only 2 frames" in text for text in texts(good, count=2))
    assert texts(good, count=0) == []


def test_repeats_and_leaps_are_named_and_long_lists_are_cut(good):
    first, second = texts(good, clip=Continuity(repeats=tuple(range(10, 20)), leaps=(30,)))
    assert first.startswith("Frames 10, 11, 12, 13, 14 and 5 more repeat")
    assert "before frame 30" in second


def test_the_picture_shows_what_was_found(good):
    png = draw([good, Measured(2, refused="It shows nothing.")], judge([good]), lambda rgb: rgb)
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 3 * 400
    # Its last column, where the subject stands, is green.
    found = cv2.resize(good.look.regions.subject.astype(np.uint8), (400, 225), interpolation=cv2.INTER_NEAREST)
    tile = picture[26 : 26 + 225, 800:].astype(int)
    green = (tile[..., 1] > tile[..., 2] + 30) & (tile[..., 1] > 80)
    assert green[cv2.erode(found, np.ones((5, 5))) > 0].mean() > 0.9
    assert draw([Measured(2, refused="It shows nothing.")], [], lambda rgb: rgb) is None
