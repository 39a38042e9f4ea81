"""Clean plates out of a shot: modes of pixels with known truth, and whole shots against their noise-free set."""

from __future__ import annotations

import numpy as np
import pytest
import scenes
from exr_files import read_bytes, source_of

from engine.errors import EngineError
from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.decode import decode
from engine.pipeline.plates import build_plate, holes, plate_file, without_holes
from engine.pipeline.plates.consensus import Candidates, average, candidates, decide
from engine.pipeline.plates.stack import Stack
from engine.synthesis.walk_through import walk_through
from engine.values import Plate, Registration

SIZE = (96, 144)
SIGMA = 0.01
NOISE = ((2 * SIGMA**2, 0.0),) * 3
"""Of the difference of two frames with grain SIGMA."""


def acescct(linear):
    """S-2016-001 of the Academy: logarithm above 2^-7, straight line below."""
    linear = np.asarray(linear, np.float64)
    log = (np.log2(np.maximum(linear, 1e-10)) + 9.72) / 17.52
    return np.where(linear <= 0.0078125, 10.5402377416545 * linear + 0.0729055341958355, log)


def psnr(found, truth, where):
    return -10 * np.log10(((acescct(found) - acescct(truth))[where] ** 2).mean())


def build(pictures, reference=None, mode="auto"):
    """Build a plate of ACEScg pictures by number; also the progress that it told."""
    sources = {number: source_of(exr(rgb, half=True), f"f.{number}.exr", "ACEScg") for number, rgb in pictures.items()}
    frames = [(number, lambda source=source: source) for number, source in sources.items()]
    first = sorted(sources)[len(sources) // 2] if sources else 1
    config = colour.load_config(colour.SHIPPED)
    steps, told = build_plate(frames, first if reference is None else reference, config, "ACEScg", mode), []
    return _drained(steps, told)


def _drained(steps, told):
    built = []

    def follow():
        built.append((yield from steps))

    told.extend(follow())
    return built[0], told


def passing(count, present, seed=0):
    """``(N, 24, 32, 3)``: a set of 0.2 with grain; a bright box stands on its middle in the frames ``present``."""
    values = np.full((count, 24, 32, 3), 0.2, np.float32)
    for index in present:
        values[index, 8:16, 12:20] = (0.9, 0.5, 0.3)
    return (values + np.random.default_rng(seed).normal(0, SIGMA, values.shape)).astype(np.float32)


def consensus(values, valid=None):
    valid = np.ones(values.shape[:3], bool) if valid is None else valid
    found = candidates(values, valid, NOISE, 0.0)
    return found, average(values, valid, decide(found, NOISE), NOISE, 0.0)


@pytest.mark.parametrize("present", [range(4), range(3, 12), range(14), range(17)])
def test_the_set_is_found_however_long_the_subject_stood(present):
    """Where it stood for longer than the set was seen, the surroundings decide."""
    values = passing(24, present)
    _, made = consensus(values)
    assert np.abs(made.rgb - 0.2).max() < 6 * SIGMA / np.sqrt(24 - len(present))
    assert (made.coverage[9:15, 13:19] == 24 - len(present)).all()
    assert (made.coverage[:6] == 24).all()


def test_eight_frames_of_48_are_enough():
    _, made = consensus(passing(48, range(2, 42)))
    assert np.abs(made.rgb - 0.2).max() < 6 * SIGMA / np.sqrt(8)
    assert (made.coverage[9:15, 13:19] == 8).all()


def test_the_mean_and_the_deviation_are_those_of_the_frames_that_agree():
    values = passing(24, range(5))
    _, made = consensus(values)
    np.testing.assert_allclose(made.rgb[12, 16], values[5:, 12, 16].mean(0), atol=1e-6)
    np.testing.assert_allclose(made.deviation[12, 16], values[5:, 12, 16].std(0), rtol=1e-3)


def test_what_never_settles_is_a_hole():
    values = passing(24, ())
    values[:, 8:16, 12:20] = np.random.default_rng(1).uniform(0, 50, (24, 8, 8, 3))
    _, made = consensus(values)
    inside, outside = made.coverage[9:15, 13:19], made.coverage[:6]
    assert (inside == 0).all()
    assert (made.rgb[9:15, 13:19] == 0).all()
    assert (outside == 24).all()


def test_pixels_that_no_frame_holds_are_holes():
    values, valid = passing(24, ()), np.ones((24, 24, 32), bool)
    valid[:, :, :4] = False
    valid[3:, :, 4:8] = False
    values[~valid] = 0
    _, made = consensus(values, valid)
    assert (made.coverage[:, :4] == 0).all()
    assert (made.coverage[:, 4:8] == 3).all()
    assert np.abs(made.rgb[:, 4:8] - 0.2).max() < 5 * SIGMA


def test_extreme_values_pass():
    values = np.full((9, 8, 8, 3), 40.0, np.float32)
    values[..., 1] = -0.5
    values[4] = 500.0
    _, made = consensus(values)
    np.testing.assert_allclose(made.rgb, np.broadcast_to((40.0, -0.5, 40.0), made.rgb.shape), rtol=1e-6)
    assert (made.coverage == 8).all()


def test_rivals_take_the_mode_that_continues_their_surroundings():
    first, second = np.full((12, 12, 3), 0.2, np.float32), np.full((12, 12, 3), 0.9, np.float32)
    rivals = np.zeros((12, 12), bool)
    rivals[3:6, 3:6] = rivals[8:11, 8:11] = True
    first[3:6, 3:6], second[3:6, 3:6] = 0.9, 0.2
    chosen = decide(Candidates(first, second, rivals), NOISE)
    np.testing.assert_array_equal(chosen, np.full_like(first, 0.2))


def test_strips_cover_every_row_once_with_their_surroundings(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.pipeline.plates.stack._STRIP_BYTES", 5 * 3 * 20 * 12)
    stack = Stack(tmp_path, 3, (23, 20))
    pictures = np.random.default_rng(0).uniform(0, 4, (3, 23, 20, 3)).astype(np.float16).astype(np.float32)
    for picture in pictures:
        stack.add(Plate(picture, np.ones((23, 20), bool)))
    strips = list(stack.strips())
    assert len(strips) == 5
    np.testing.assert_array_equal(np.concatenate([s.values[:, s.inner] for s in strips], 1), pictures)
    assert strips[1].valid.shape == (3, 9, 20)


def test_a_disk_that_is_too_small_is_said(tmp_path):
    with pytest.raises(EngineError) as caught:
        Stack(tmp_path, 10_000_000, (2160, 4096))
    assert caught.value.reason == "LIMIT_EXCEEDED"


@pytest.mark.slow
@pytest.mark.parametrize(("held", "seed"), [(False, 3), (True, 5)])
def test_a_walk_through_of_48_frames(held, seed):
    shot = walk_through(SIZE, 48, seed, held)
    built, told = build({index: shot.frame(index) for index in range(48)})
    seen = sum((shot.alpha(index, 24) < 0.02).astype(int) for index in range(48))
    assert psnr(built.rgb, shot.clean(24), (seen >= 8) & (built.coverage > 0)) >= 40
    inner = np.s_[8:-8, 8:-8]  # beyond it a held camera's frames end
    assert np.abs(built.coverage - seen)[inner].mean() / 48 <= 0.01
    assert not (built.coverage == 0)[inner][seen[inner] >= 8].any()
    shares = [done for done, _ in told]
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] < 1


def still_shot(count, boxes, seed=4):
    """A textured set; a bright box at column ``boxes[index]`` of each frame, None for no box."""
    base = scenes.shot(SIZE, seed)
    pictures = {}
    for index in range(count):
        picture = base.copy()
        if boxes[index] is not None:
            picture[30:60, boxes[index] : boxes[index] + 20] = (3.0, 0.1, 2.0)
        pictures[1001 + index] = scenes.with_grain(picture, index)
    return base, pictures


def test_of_two_frames_what_differs_is_a_hole():
    base, pictures = still_shot(2, [20, 90])
    built, _ = build(pictures)
    assert (built.coverage[34:56, 24:36] == 0).all()
    assert (built.coverage[34:56, 94:106] == 0).all()
    assert psnr(built.rgb, base, built.coverage > 0) > 40
    assert any("2 frames" in text for text in built.warnings())
    assert any("holes" in text for text in built.warnings())


def test_a_subject_that_never_moves_is_warned_of():
    built, _ = build(still_shot(9, [50] * 9)[1])
    assert built.static
    assert "Nothing moves" in " ".join(built.warnings())


def test_one_frame_is_refused():
    with pytest.raises(EngineError) as caught:
        build(still_shot(1, [20])[1])
    assert caught.value.reason == "BAD_REQUEST"
    assert "one frame" in caught.value.message


def test_a_reference_that_is_not_there_is_refused():
    with pytest.raises(EngineError) as caught:
        build(still_shot(3, [20, 40, 60])[1], reference=7)
    assert caught.value.reason == "BAD_REQUEST"
    assert "7" in caught.value.message


def test_a_frame_of_another_scene_is_left_out_and_said():
    _, pictures = still_shot(5, [10, 40, 70, 100, None])
    pictures[1010] = scenes.with_grain(scenes.shot(SIZE, 77), 9)
    built, _ = build(pictures, reference=1003)
    assert built.left_out == (1010,)
    assert built.used == (1001, 1002, 1003, 1004, 1005)
    assert "1010" in " ".join(built.warnings())


def test_frames_of_other_exposure_are_matched():
    base, pictures = still_shot(9, [5, 20, 35, 50, 65, 80, 95, 110, None])
    lit = {number: rgb * np.float32(2 ** (index / 4 - 1)) for index, (number, rgb) in enumerate(pictures.items())}
    built, _ = build(lit, reference=1005)
    assert psnr(built.rgb, base, built.coverage >= 6) > 40


def test_the_file_says_what_is_a_hole_and_how_often_the_rest_was_seen(tmp_path):
    built, _ = build(still_shot(2, [20, 90])[1])
    data = plate_file(built, "ACEScg")
    spec, channels = read_bytes(data, tmp_path)
    assert set(channels) == {*"RGBA", "coverage.Y", "deviation.R", "deviation.G", "deviation.B"}
    np.testing.assert_array_equal(channels["A"], built.coverage > 0)
    np.testing.assert_array_equal(channels["coverage.Y"], built.coverage)
    assert spec.getattribute("platekeyPlateFrames") == 2
    image = decode(source_of(data, "plate.exr", "ACEScg"))
    np.testing.assert_array_equal(holes(image), built.coverage == 0)


def test_another_files_alpha_is_no_hole():
    rgba = np.zeros((8, 8, 4), np.float32)
    assert holes(decode(source_of(exr(rgba[..., :3]), "cg.exr", "ACEScg"))) is None


@pytest.mark.parametrize("shift", [0, 7])
def test_holes_are_invalid_where_they_lie_on_the_frame(shift):
    built, _ = build(still_shot(2, [20, 90])[1])
    image = decode(source_of(plate_file(built, "ACEScg"), "plate.exr", "ACEScg"))
    move = np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1.0]])
    whole = Plate(np.ones((*SIZE, 3), np.float32), np.ones(SIZE, bool))
    seen = without_holes(whole, Registration(move, shift == 0, 0.0, 0.0, 0), image)
    unseen = np.roll(holes(image), shift, 1)[:, shift:]
    assert not seen.valid[:, shift:][unseen].any()
    assert (seen.rgb[~seen.valid] == 0).all()
    assert seen.valid.mean() > 0.5


def test_a_hole_is_found_where_the_plate_was_bent_away_from_its_homography():
    built, _ = build(still_shot(2, [20, 90])[1])
    image = decode(source_of(plate_file(built, "ACEScg"), "plate.exr", "ACEScg"))
    bent = Plate(np.roll(image.rgb, 12, 1), np.ones(SIZE, bool))
    seen = without_holes(bent, Registration(np.eye(3), False, 0.0, 0.0, 0), image)
    assert not seen.valid[34:56, 36:48].any()
    assert seen.valid.mean() > 0.4
