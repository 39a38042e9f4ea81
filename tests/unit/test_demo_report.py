"""The demo's report on layers that are the truth itself: what it must say of a perfect key, and what it draws."""

import cv2
import numpy as np
import OpenImageIO
import pytest
from typer.testing import CliRunner

from engine.evaluation.delivered import read_channels, read_delivered, read_rgb
from engine.evaluation.demo import app
from engine.evaluation.layer_errors import Stack
from engine.evaluation.pictures import contact_sheet, evening_room, over, shown, shown_data

NUMBERS = (1001, 1002)


def write_layers(path, channels, depth):
    names = list(channels)
    height, width = channels[names[0]].shape
    spec = OpenImageIO.ImageSpec(width, height, len(names), depth)
    spec.channelnames = names
    image = OpenImageIO.ImageBuf(spec)
    image.set_pixels(OpenImageIO.ROI(), np.dstack(list(channels.values())).astype(np.float32))
    path.parent.mkdir(exist_ok=True)
    assert image.write(str(path))


def named(prefix, rgb):
    return {prefix + name: rgb[..., i] for i, name in enumerate("RGB")}


def deliver_truth(folder, number, depth):
    """Write what a perfect engine would: the true layers, and the grain as residual."""
    truth, _ = read_channels(folder / "shot" / f"gt.{number}.exr")
    alpha, light = truth["A"], np.stack([truth[name] for name in "RGB"], axis=2)
    shadow, plate = (read_rgb(folder / "shot" / f"{name}_gt.{number}.exr") for name in ("shadow", "background"))
    if depth == "half":
        alpha, light, shadow, plate = (x.astype(np.float16).astype(np.float32) for x in (alpha, light, shadow, plate))
    grain = read_rgb(folder / "shot" / f"frame.{number}.exr") - light - (1 - alpha[..., None]) * shadow * plate
    layers = {**named("", light), "A": alpha, "validity.Y": np.ones_like(alpha)}
    for prefix, rgb in (("residual.", grain), ("shadow_ratio.", shadow), ("cleanplate.", plate)):
        layers |= named(prefix, rgb)
    write_layers(folder / depth / f"keyed.{number}.exr", layers, depth)


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """(folder, what the report says)."""
    folder = tmp_path_factory.mktemp("demo")
    runner = CliRunner()
    made = runner.invoke(app, ["shoot", str(folder), "--frames", str(len(NUMBERS)), "--width", "240"])
    assert made.exit_code == 0, made.output
    for number in NUMBERS:
        for depth in ("half", "float"):
            deliver_truth(folder, number, depth)
    said = runner.invoke(app, ["report", str(folder)])
    assert said.exit_code == 0, said.output
    return folder, said.output


def test_a_perfect_key_beats_the_opponent_on_every_metric(reported):
    _, text = reported
    assert text.count("PlateKey is better on 5 of 5.") == 2
    assert "|P| where a = 0: 0 " in text


def test_recombination_is_within_the_promise_for_exact_layers(reported):
    _, text = reported
    lines = {line.split(":")[0].strip(): line.split(":")[1] for line in text.splitlines() if "promised" in line}
    assert float(lines["float files"].split()[0]) <= 1e-6
    assert float(lines["half files"].split()[0]) <= 1


def test_delivered_files_are_read_by_channel_name(reported):
    folder, _ = reported
    half = read_delivered(folder / "half" / "keyed.1001.exr")
    whole = read_delivered(folder / "float" / "keyed.1001.exr")
    assert half.half
    assert not whole.half
    assert half.valid.all()
    np.testing.assert_allclose(half.stack.alpha, whole.stack.alpha, atol=2**-11)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match=r"keyed\.1001\.exr"):
        read_delivered(tmp_path / "keyed.1001.exr")


def test_pictures_are_there_and_have_content(reported):
    folder, text = reported
    sheet = cv2.imread(str(folder / "contact_sheet.png"))
    assert sheet.shape[1] == 7 * 400
    assert sheet.std() > 20
    assert (folder / "before_and_after.png").stat().st_size > 10_000
    assert (folder / "before_and_after.webp").read_bytes()[:4] == b"RIFF"
    assert text.count("picture: ") == 3


def test_over_the_clean_plate_returns_the_frame_without_its_residual():
    rng = np.random.default_rng(2)
    light, plate, residual = (rng.random((4, 6, 3), np.float32) for _ in range(3))
    stack = Stack(light, np.full((4, 6), 0.25, np.float32), np.full((4, 6, 3), 0.5, np.float32), plate, residual)
    np.testing.assert_allclose(over(stack, plate), light + 0.75 * 0.5 * plate, rtol=1e-6)


def test_the_view_is_monotonic_and_bounded():
    ramp = np.geomspace(1e-4, 500, 64, dtype=np.float32)[None, :, None] * np.ones(3, np.float32)
    picture = shown(ramp)[0, :, 1].astype(int)
    assert (np.diff(picture) >= 0).all()
    assert picture[0] < 10
    assert picture[-1] == 255
    assert shown(np.full((1, 1, 3), -40, np.float32)).max() == 0


def test_mattes_are_shown_without_a_view():
    assert shown_data(np.float32([[0, 0.5, 1]]))[0, :, 0].tolist() == [0, 128, 255]


def test_contact_sheet_has_a_row_a_frame():
    frame = np.full((90, 160, 3), 0.2, np.float32)
    stack = Stack(frame, np.ones((90, 160), np.float32), np.ones_like(frame), frame, 0 * frame)
    one, two = (contact_sheet([(frame, stack)] * count, evening_room((90, 160)), 160) for count in (1, 2))
    assert two.shape[0] - one.shape[0] == 90
    assert one.shape[1] == 7 * 160
