"""A frame through all stages, on real files: what comes back recombines, obeys the mattes, depends on nothing else."""

from dataclasses import replace

import numpy as np
import OpenImageIO
import pytest
import scenes
from exr_files import source, write

from engine.errors import EngineError
from engine.evaluation.layer_errors import Stack, recombination
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.settings import DEFAULT_LAYERS, FrameJob, Knobs, MatteJob, Neighbour

SIZE = (144, 208)
SPACE = "lin_rec709"
STAGES = ["decode", "colour", "registration", "photometric", "matte", "solve", "layers", "encode"]


@pytest.fixture(scope="module")
def session():
    return Session("cpu", 1 << 26)


@pytest.fixture(scope="module")
def background():
    return scenes.shot(SIZE, 3)


@pytest.fixture(scope="module")
def files(tmp_path_factory, background):
    """Four frames with a subject, of drifting exposure, and a clean plate, as EXR sources."""
    folder = tmp_path_factory.mktemp("shot")
    clean = write(folder / "clean.exr", scenes.with_grain(background, 1))
    frames = [
        write(
            folder / f"frame.{n}.exr", scenes.with_grain(scenes.with_subject(background, 0.2, 50 + n) * (1 + n / 20), n)
        )
        for n in range(4)
    ]
    return source(clean, SPACE), [source(frame, SPACE) for frame in frames]


def job(**knobs):
    return MatteJob(Knobs(**knobs), (*DEFAULT_LAYERS, "cleanplate", "fg"), "platekey://studio", SPACE, "cpu")


def run(session, task, frame, cancelled=lambda: False, heard=None):
    return matte_frame(task, frame, session, (heard if heard is not None else []).append, cancelled)


def read(data, folder):
    """Channel name -> ``(H, W)``, and the spec, by a second reader."""
    path = folder / "result.exr"
    path.write_bytes(data)
    buffer = OpenImageIO.ImageBuf(str(path))
    pixels = buffer.get_pixels(OpenImageIO.FLOAT)
    return {name: pixels[..., i] for i, name in enumerate(buffer.spec().channelnames)}, buffer.spec()


def rgb(channels, layer=""):
    return np.stack([channels[f"{layer}.{c}" if layer else c] for c in "RGB"], 2)


@pytest.mark.parametrize("depth", ["half", "float"])
def test_the_file_recombines(session, files, tmp_path, depth):
    clean, frames = files
    channels, _ = read(run(session, job(depth=depth), FrameJob(1, frames[1], clean))[0], tmp_path)
    original = OpenImageIO.ImageBuf()
    (tmp_path / "in.exr").write_bytes(frames[1].data)
    original = OpenImageIO.ImageBuf(str(tmp_path / "in.exr")).get_pixels(OpenImageIO.FLOAT)[..., :3]
    stacks = [rgb(channels, "shadow_ratio"), np.repeat(1 - channels["shadow.A"][..., None], 3, 2)]
    for ratio in stacks:
        stack = Stack(rgb(channels), channels["A"], ratio, rgb(channels, "cleanplate"), rgb(channels, "residual"))
        error = recombination(original, stack, channels["validity.Y"] == 1)
        assert error.half_ulps <= 0.5 if depth == "half" else error.relative <= 1e-6
    assert (rgb(channels)[channels["A"] == 0] == 0).all()


def test_every_stage_is_announced_and_timed(session, files):
    heard = []
    report = run(session, job(), FrameJob(1, files[1][1], files[0]), heard=heard)[1]
    assert heard == STAGES
    assert set(report.seconds) >= set(STAGES) - {"encode"}


def test_what_was_measured_is_reported(session, files):
    report = run(session, job(), FrameJob(2, files[1][2], files[0]))[1]
    assert report.locked_off
    assert report.residual_median_px < 0.3
    assert report.gain == pytest.approx((1.1,) * 3, rel=0.02)
    assert 0.05 < report.foreground_share < 0.5
    assert report.valid_share == 1
    assert report.tiles == 1
    assert report.warnings == ()


def test_order_and_company_change_no_bit(files):
    clean, frames = files
    jobs = [FrameJob(n, frame, clean) for n, frame in enumerate(frames)]
    forth = [run(Session("cpu", 1 << 26), job(), frame)[0] for frame in jobs]
    one = Session("cpu", 1 << 26)
    back = [run(one, job(), frame)[0] for frame in reversed(jobs)]
    assert forth == back[::-1]


def test_the_window_does_not_blur_a_ramp(session, files):
    clean, frames = files
    near = tuple(Neighbour(n, frames[n], clean) for n in (0, 1))
    alone = run(session, job(), FrameJob(3, frames[3], clean))[1]
    among = run(session, job(temporal_window=3), FrameJob(3, frames[3], clean, near))[1]
    assert alone.gain == pytest.approx((1.15,) * 3, rel=0.02)
    assert among.gain == alone.gain
    assert among.warnings == ()


def test_halves_of_a_shot_are_the_whole_with_the_window_on(files):
    """Frames 0-1 and 2-3 rendered apart, each with neighbours beyond its range, are those of 0-3."""
    clean, frames = files
    task = job(temporal_window=1)
    jobs = [
        FrameJob(n, frame, clean, tuple(Neighbour(m, frames[m], clean) for m in (n - 1, n + 1) if 0 <= m < len(frames)))
        for n, frame in enumerate(frames)
    ]
    one, *apart = (Session("cpu", 1 << 26) for _ in range(3))
    whole = [run(one, task, each)[0] for each in jobs]
    halves = [run(apart[n // 2], task, jobs[n])[0] for n in (1, 0, 3, 2)]
    assert whole == [halves[1], halves[0], halves[3], halves[2]]


def test_a_neighbour_with_an_alpha_is_seen_as_it_is_keyed(files, background, tmp_path):
    """Frame 1 is remembered of its own rendering as frame 2 would read it; the noise counts in the difference."""
    held = np.full((*SIZE, 1), 0.5, np.float32)
    pixels = [np.dstack([scenes.with_grain(scenes.with_subject(background, 0.2), n) / 2, held]) for n in (7, 8)]
    clip = [source(write(tmp_path / f"{n}.exr", one, channels=list("RGBA")), SPACE) for n, one in enumerate(pixels, 1)]
    task, jobs = job(temporal_window=1, input_alpha="garbage"), [FrameJob(1, clip[0], files[0])]
    task = replace(task, layers=("difference",))
    jobs.append(FrameJob(2, clip[1], files[0], (Neighbour(1, clip[0], files[0]),)))
    one, fresh = Session("cpu", 1 << 26), Session("cpu", 1 << 26)
    run(one, task, jobs[0])
    assert run(one, task, jobs[1])[0] == run(fresh, task, jobs[1])[0]


def test_a_frame_that_shows_no_background_is_exposed_as_its_neighbours(session, files, background, tmp_path):
    subject, shown = scenes.shot(SIZE, 52), {1: 120, 2: 6, 3: 120}
    frames = []
    for number, edge in shown.items():
        picture = background * np.float32(1 + number / 20)
        picture[:, edge:] = subject[:, edge:]
        frames.append(source(write(tmp_path / f"{number}.exr", scenes.with_grain(picture, number)), SPACE))
    before, hidden, after = frames
    near = tuple(Neighbour(n, frame, files[0]) for n, frame in ((1, before), (3, after)))
    report = run(session, job(temporal_window=1, registration="off"), FrameJob(2, hidden, files[0], near))[1]
    assert report.gain == pytest.approx((1.1,) * 3, rel=0.02)
    assert any("neighbour frames" in warning for warning in report.warnings)


def test_mattes_are_honoured_exactly(session, files, tmp_path):
    clean, frames = files
    garbage, core = np.zeros((*SIZE, 1), np.float32), np.zeros((*SIZE, 1), np.float32)
    garbage[:, :60], core[:, 40:80] = 1, 1
    mattes = {
        name: replace(source(write(tmp_path / f"{name}.exr", pixels, channels=["A"])), space="")
        for name, pixels in (("garbage", garbage), ("core", core))
    }
    channels, _ = read(run(session, job(), FrameJob(1, frames[1], clean, **mattes))[0], tmp_path)
    assert (channels["A"][:, :60] == 0).all()
    assert (channels["A"][:, 60:80] == 1).all()
    assert (rgb(channels, "residual")[:, :60] == 0).all()


def test_windows_and_provenance_are_written(session, files, background, tmp_path):
    clean = source(write(tmp_path / "c.exr", background, data=(-8, -4), display=(0, 0, 192, 136)), SPACE)
    picture = scenes.with_grain(scenes.with_subject(background, 0.2), 4)
    path = write(tmp_path / "f.exr", picture, data=(-8, -4), display=(0, 0, 192, 136), attributes={"camera": "A7"})
    data = run(session, job(), FrameJob(7, source(path, SPACE), clean, key="abc"))[0]
    spec = read(data, tmp_path)[1]
    assert (spec.x, spec.y, spec.full_width, spec.full_height) == (-8, -4, 192, 136)
    assert spec.getattribute("platekey/key") == "abc"
    assert spec.getattribute("platekey/model") == "platenet"
    assert spec.getattribute("camera") == "A7"


def test_nonfinite_pixels_are_counted_and_said(session, files, tmp_path):
    picture = scenes.shot(SIZE, 3)
    picture[4, 4], picture[5, 5, 0] = np.nan, np.inf
    broken = source(write(tmp_path / "nan.exr", picture), SPACE)
    data, report = run(session, job(), FrameJob(1, broken, files[0]))
    assert report.nonfinite_frame == 4
    assert report.warnings[0].startswith("4 samples of the frame")
    channels, _ = read(data, tmp_path)
    assert all(np.isfinite(values).all() for values in channels.values())


def test_a_frame_of_nans_is_no_picture(session, files, tmp_path):
    nothing = source(write(tmp_path / "nothing.exr", np.full((*SIZE, 3), np.nan, np.float32)), SPACE)
    with pytest.raises(EngineError, match="NaN") as caught:
        run(session, job(), FrameJob(1, nothing, files[0]))
    assert caught.value.reason == "IMAGE_UNREADABLE"


@pytest.mark.parametrize("value", [-20.0, -65504.0, float("-inf"), 500.0])
def test_one_wild_pixel_stays_one_pixel(session, files, tmp_path, value):
    """However far from black, it changes the matte within a network's edge at most, and spoils nothing."""
    picture = scenes.with_subject(scenes.shot(SIZE, 3), 0.2)
    tame = source(write(tmp_path / "tame.exr", picture), SPACE)
    picture[10, 10] = value
    wild = source(write(tmp_path / "wild.exr", picture), SPACE)
    task = job(depth="float")
    mattes = [read(run(session, task, FrameJob(1, one, files[0]))[0], tmp_path)[0] for one in (tame, wild)]
    changed = np.abs(mattes[0]["A"] - mattes[1]["A"]) > 0.05
    changed[4:17, 4:17] = False
    assert not changed.any()
    assert all(np.isfinite(values).all() for values in mattes[1].values())


def test_garbage_over_everything_is_said(session, files, tmp_path):
    opaque = np.ones((*SIZE, 4), np.float32)
    roto = replace(source(write(tmp_path / "roto.exr", opaque)), space="")
    report = run(session, job(), FrameJob(1, files[1][1], files[0], garbage=roto))[1]
    assert any("garbage matte covers" in warning for warning in report.warnings)


def test_premultiplied_footage_as_its_own_garbage_keeps_its_colour(session, files, background, tmp_path):
    """A feathered alpha in premultiplied footage: the light is divided before, and thinned once."""
    feather = np.clip(np.linspace(-1, 2, SIZE[1], dtype=np.float32), 0, 1)[None, :, None].repeat(SIZE[0], 0)
    picture = scenes.with_subject(background, 0.3)
    path = write(tmp_path / "fed.exr", np.concatenate((picture * feather, feather), 2).astype(np.float32))
    core = replace(source(write(tmp_path / "core.exr", np.ones((*SIZE, 1), np.float32), channels=["A"])), space="")
    task = FrameJob(1, source(path, SPACE), files[0], core=core)
    channels, _ = read(run(session, job(input_alpha="garbage", registration="off", depth="float"), task)[0], tmp_path)
    np.testing.assert_allclose(channels["A"], feather[..., 0], atol=1e-6)
    np.testing.assert_allclose(rgb(channels), picture * feather, rtol=1e-4, atol=1e-6)


def test_neighbours_that_do_not_fit_are_left_out(session, files, tmp_path):
    clean, frames = files
    other = source(write(tmp_path / "other.exr", scenes.shot(SIZE, 77)), SPACE)
    window = (Neighbour(0, frames[0], other), Neighbour(2, frames[2], other))
    report = run(session, job(temporal_window=1), FrameJob(1, frames[1], clean, window))[1]
    assert report.gain == pytest.approx((1.05,) * 3, rel=0.02)
    assert sum("left out" in warning for warning in report.warnings) == 2


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4), (4, 3, 2, 1)])
def test_a_cut_ends_the_window(files, tmp_path, numbers):
    """Frames 0 to 2, then two of another shot, of light four times as bright, that its own plate would fit."""
    clean, frames = files
    after = [scenes.with_grain(scenes.with_subject(scenes.shot(SIZE, 77), 0.2) * 4, n) for n in (3, 4)]
    clip = [*frames[:3], *(source(write(tmp_path / f"{n}.exr", shot), SPACE) for n, shot in enumerate(after))]
    plate = source(write(tmp_path / "next.exr", scenes.with_grain(scenes.shot(SIZE, 77), 1)), SPACE)
    plates = [clean] * 3 + [plate] * 2
    fresh, used = Session("cpu", 1 << 26), Session("cpu", 1 << 26)
    tasks = {
        n: FrameJob(n, clip[n], plates[n], tuple(Neighbour(m, clip[m], plates[m]) for m in range(5) if m != n))
        for n in numbers
    }
    results = {n: run(used, job(temporal_window=4), task) for n, task in tasks.items()}
    assert run(fresh, job(temporal_window=4), tasks[2])[0] == results[2][0]
    left_out = {n: [w.split()[1] for w in report.warnings if "beyond a cut" in w] for n, (_, report) in results.items()}
    assert left_out == {1: ["3", "4"], 2: ["3", "4"], 3: ["0", "1", "2"], 4: ["0", "1", "2"]}


def test_a_plate_of_another_scene_is_refused(session, files, tmp_path):
    other = source(write(tmp_path / "other.exr", scenes.shot(SIZE, 77)), SPACE)
    with pytest.raises(EngineError) as caught:
        run(session, job(), FrameJob(1, files[1][1], other))
    assert caught.value.reason == "REGISTRATION_FAILED"


def test_a_log_space_is_refused_for_layers(session, files):
    task = replace(job(), output_space="ACEScct")
    with pytest.raises(EngineError) as caught:
        run(session, task, FrameJob(1, files[1][1], files[0]))
    assert caught.value.reason == "COLOR_NOT_LINEAR"


@pytest.mark.parametrize("stage", STAGES)
def test_cancel_is_heard_before_every_stage(session, files, stage):
    heard = []
    before = STAGES[: STAGES.index(stage)]
    with pytest.raises(EngineError) as caught:
        run(session, job(), FrameJob(1, files[1][1], files[0]), lambda: heard == before, heard)
    assert caught.value.reason == "CANCELLED"


def test_the_plate_cache_is_bounded(files, tmp_path):
    small = Session("cpu", 1)
    for seed in (3, 3, 3):
        plate = source(write(tmp_path / f"p{seed}.exr", scenes.with_grain(scenes.shot(SIZE, 3), seed)), SPACE)
        run(small, job(), FrameJob(1, files[1][1], plate))
    assert len(small._plates) == 1


def test_what_is_wrong_with_the_plate_is_said(session, files, background, tmp_path):
    clipped = np.minimum(scenes.with_grain(background, 1) / np.float32(np.quantile(background, 0.8)), 1)
    plate = source(write(tmp_path / "clipped.exr", clipped), SPACE)
    report = run(session, job(), FrameJob(1, files[1][1], plate))[1]
    assert any("of the clean plate are clipped" in sentence for sentence in report.warnings)
