"""The pipeline behind the wire: real EXR files through a real engine process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine_client import Client, matte_setup, outcomes, sha
from exr_files import read_bytes, write

from host_bridge.wire.v1 import error_pb2, image_pb2, matte_pb2

HEIGHT, WIDTH = 96, 128


@pytest.fixture(scope="module")
def shot() -> tuple[np.ndarray, np.ndarray]:
    """Frame and clean plate, ``(H, W, 3)`` linear: an ellipse before a grainy gradient."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    plate = np.stack([0.2 + 0.3 * x, 0.4 - 0.2 * y, 0.3 + 0.1 * x * y], axis=-1)
    plate = plate + 0.15 * (np.floor(x * 8) + np.floor(y * 8))[..., None] % 2
    subject = ((x - 0.6) / 0.25) ** 2 + ((y - 0.5) / 0.35) ** 2 < 1
    frame = np.where(subject[..., None], [0.9, 0.25, 0.05], plate) + random.normal(0, 0.002, plate.shape)
    return frame.astype(np.float32), plate.astype(np.float32)


@pytest.fixture
def setup(client: Client, shot, tmp_path: Path, request: pytest.FixtureRequest) -> matte_pb2.MatteSetup:
    plate = write(tmp_path / "plate.exr", shot[1]).read_bytes()
    knobs = {"registration": matte_pb2.REGISTRATION_OFF, "depth": matte_pb2.DEPTH_FLOAT}
    made = matte_setup(client.image(plate, "plate.exr"), request.node.name, **knobs)
    made.layers.extend([matte_pb2.RESIDUAL, matte_pb2.SHADOW_RATIO, matte_pb2.CLEANPLATE, matte_pb2.VALIDITY])
    return made


def color(channels: dict[str, np.ndarray], layer: str = "") -> np.ndarray:
    return np.stack([channels[f"{layer}{name}"] for name in "RGB"], axis=-1)


def test_a_frame_by_path_and_uploaded_returns_the_same_layers(
    client: Client, setup, shot, engine_root: Path, tmp_path: Path
):
    file = write(engine_root / "shot.0011.exr", shot[0])
    data = file.read_bytes()
    by_path = image_pb2.ImageRef(sha256=sha(data), size=len(data), name=file.name, path=str(file), color_space="ACEScg")
    first = outcomes(client.matte(setup, [matte_pb2.MatteFrame(frame=11, image=by_path, key="abc")]))[11]
    uploaded = client.image(data, file.name)
    second = outcomes(client.matte(setup, [matte_pb2.MatteFrame(frame=11, image=uploaded, key="abc")]))[11]
    assert isinstance(first, bytes), first
    assert first == second
    header, channels = read_bytes(first, tmp_path)
    assert header.getattribute("platekey/key") == "abc"
    alpha, plate = channels["A"][..., None], color(channels, "cleanplate.")
    terms = [color(channels), (1 - alpha) * color(channels, "shadow_ratio.") * plate, color(channels, "residual.")]
    valid = channels["validity.Y"] > 0
    size = np.max(np.abs([shot[0], *terms]), axis=0)
    assert valid.mean() > 0.9
    assert (np.abs(shot[0] - sum(terms))[valid] <= 1e-6 * size[valid]).all()
    assert not color(channels)[channels["A"] == 0].any()


def test_progress_names_every_stage(client: Client, setup, shot, tmp_path: Path):
    image = client.image(write(tmp_path / "f.exr", shot[0]).read_bytes(), "f.exr")
    replies = list(client.matte(setup, [matte_pb2.MatteFrame(frame=1, image=image)]))
    begun = [reply.progress for reply in replies if reply.HasField("progress")]
    assert [progress.stage for progress in begun] == [
        "decode", "colour", "registration", "photometric", "matte", "solve", "layers", "encode",
    ]  # fmt: skip
    assert [progress.done for progress in begun] == sorted(progress.done for progress in begun)
    report = replies[-1].done.report
    assert set(report.seconds) >= {"decode", "matte", "solve"}
    assert 0 < report.foreground_share < 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda setup, image: setattr(image, "color_space", "no such space"), "COLOR_UNKNOWN"),
        (lambda setup, image: setattr(setup.color.config, "builtin", "ocio://nothing"), "COLOR_UNKNOWN"),
        (lambda setup, image: setattr(setup.color, "output_space", "ACEScct"), "COLOR_NOT_LINEAR"),
        (lambda setup, image: setattr(image, "part", "left"), "PART_UNSUPPORTED"),
        (lambda setup, image: setattr(image, "color_space", ""), "BAD_REQUEST"),
    ],
)
def test_a_frame_that_cannot_be_made_says_why(client: Client, setup, shot, tmp_path: Path, change, why: str):
    image = client.image(write(tmp_path / "f.exr", shot[0]).read_bytes(), "f.exr")
    change(setup, image)
    error = outcomes(client.matte(setup, [matte_pb2.MatteFrame(frame=1, image=image)]))[1]
    assert error_pb2.ErrorReason.Name(error.reason) == why
    assert error.message
    assert error.next_step


def test_a_frame_of_another_size_than_its_plate_is_refused(client: Client, setup, shot, tmp_path: Path):
    image = client.image(write(tmp_path / "f.exr", shot[0][:50]).read_bytes(), "f.exr")
    error = outcomes(client.matte(setup, [matte_pb2.MatteFrame(frame=1, image=image)]))[1]
    assert error_pb2.ErrorReason.Name(error.reason) == "SIZE_MISMATCH"
