"""The engine's calls, against a real server in a real process: description, files, paths, jobs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from engine_client import Client, matte_setup, outcomes, reason, sha
from engine_process import EngineProcess
from exr_files import write

import engine
from engine.network.table import MODELS
from host_bridge.wire.v1 import engine_pb2, error_pb2, image_pb2, job_pb2, matte_pb2

MIB = 1 << 20


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """Status and reason of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), reason(caught.value)


def lost(client: Client, frame: matte_pb2.MatteFrame, setup: matte_pb2.MatteSetup) -> str:
    """Reason why a frame could not be made."""
    error = outcomes(client.matte(setup, [frame]))[frame.frame]
    assert isinstance(error, error_pb2.ErrorDetail)
    return error_pb2.ErrorReason.Name(error.reason)


def test_describe_says_who_and_what_it_is(client: Client, engine_process: EngineProcess, engine_root: Path):
    said, handshake = client.describe(), engine_process.handshake()
    assert (said.version, said.wire) == (engine.__version__, 1)
    assert {name: getattr(said, name) for name in ("version", "build", "wire", "pid")}.items() <= handshake.items()
    assert len(bytes.fromhex(said.build)) == 8
    assert said.default_device == "cpu"
    assert "cpu" in [device.id for device in said.devices]
    assert said.threads == 1
    assert {model.name: model.weights_sha256 for model in said.models} == {
        name: card.sha256 for name, card in MODELS.items()
    }
    assert (said.limits.store_bytes, said.limits.blob_bytes) == (8 * MIB, 8 * MIB)
    kinds = {field.name for field in job_pb2.JobRequest.DESCRIPTOR.oneofs_by_name["spec"].fields}
    assert (set(said.features.jobs), said.features.plate_statistics) == (kinds, False)
    assert list(said.roots) == [str(engine_root.resolve())]
    assert {"platekey://studio", "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"} <= set(said.color_configs)
    assert said.active_calls == 0


def test_an_upload_is_held_once(client: Client):
    data = secrets.token_bytes(3 * MIB + 17)
    assert client.upload(data)
    assert not client.upload(data)
    absent = sha(b"never sent")
    missing = client.call("FindMissing", engine_pb2.FindMissingRequest(sha256=[sha(data), absent, absent]))
    assert list(missing.sha256) == [absent]


def test_the_least_recently_used_file_leaves_first(client: Client):
    first, second, third = (secrets.token_bytes(3 * MIB) for _ in range(3))
    client.upload(first)
    client.upload(second)
    client.call("FindMissing", engine_pb2.FindMissingRequest(sha256=[sha(first)]))
    client.upload(third)
    asked = engine_pb2.FindMissingRequest(sha256=[sha(first), sha(second), sha(third)])
    assert list(client.call("FindMissing", asked).sha256) == [sha(second)]


@pytest.mark.parametrize(
    ("announced", "status", "why"),
    [
        ({"sha256": sha(b"other")}, grpc.StatusCode.FAILED_PRECONDITION, "BLOB_MISMATCH"),
        ({"size": 99}, grpc.StatusCode.FAILED_PRECONDITION, "BLOB_MISMATCH"),
        ({"size": 101}, grpc.StatusCode.FAILED_PRECONDITION, "BLOB_MISMATCH"),
        ({"size": 9 * MIB}, grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
        ({"sha256": "ABC"}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"),
    ],
)
def test_an_upload_that_is_not_as_announced_is_refused(client: Client, announced: dict, status, why: str):
    data = secrets.token_bytes(100)
    assert refusal(lambda: client.upload(data, **announced)) == (status, why)
    missing = client.call("FindMissing", engine_pb2.FindMissingRequest(sha256=[sha(data)]))
    assert list(missing.sha256) == [sha(data)]


def test_an_upload_without_header_is_refused(client: Client):
    call = lambda: client.call("Upload", iter([engine_pb2.UploadRequest(data=b"x")]))  # noqa: E731
    assert refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST")


def test_a_message_over_the_limit_is_refused_and_says_so(client: Client):
    data = secrets.token_bytes(5 * MIB)
    with pytest.raises(grpc.RpcError) as caught:
        client.upload(data, chunk=5 * MIB)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in caught.value.details()
    assert client.upload(data)


@pytest.fixture
def setup(client: Client) -> matte_pb2.MatteSetup:
    return matte_setup(client.image(b"no image", "plate.exr"), job_id=secrets.token_hex(4))


def on_disk(path: Path | str, data: bytes) -> matte_pb2.MatteFrame:
    image = image_pb2.ImageRef(sha256=sha(data), size=len(data), name="f.exr", path=str(path), color_space="ACEScg")
    return matte_pb2.MatteFrame(frame=7, image=image)


def test_paths_are_read_under_the_roots_only(client: Client, setup, engine_root: Path, tmp_path: Path):
    data = secrets.token_bytes(64)
    outside, inside, link = tmp_path / "f.exr", engine_root / "f.exr", engine_root / "link.exr"
    outside.write_bytes(data)
    link.symlink_to(outside)
    inside.write_bytes(b"changed since")
    dotted = engine_root / ".." / tmp_path.name / "f.exr"
    assert lost(client, on_disk(outside, data), setup) == "PATH_NOT_ALLOWED"
    assert lost(client, on_disk(link, data), setup) == "PATH_NOT_ALLOWED"
    assert lost(client, on_disk(dotted, data), setup) == "PATH_NOT_ALLOWED"
    assert lost(client, on_disk(tmp_path / "absent.exr", data), setup) == "PATH_NOT_ALLOWED"
    assert lost(client, on_disk("f.exr", data), setup) == "BAD_REQUEST"
    assert lost(client, on_disk(engine_root / "absent.exr", data), setup) == "FILE_MISSING"
    assert lost(client, on_disk(engine_root, data), setup) == "FILE_MISSING"
    assert lost(client, on_disk(inside, data), setup) == "BLOB_MISMATCH"
    inside.write_bytes(data)
    assert lost(client, on_disk(inside, data), setup) == "IMAGE_UNREADABLE"


def test_a_file_beyond_the_limit_is_not_read(client: Client, setup, engine_root: Path):
    huge = engine_root / "huge.exr"
    huge.touch()
    os.truncate(huge, 9 * MIB)
    assert lost(client, on_disk(huge, b""), setup) == "LIMIT_EXCEEDED"


def test_a_frame_that_was_not_uploaded_is_named(client: Client, setup):
    assert lost(client, on_disk("", b"never sent"), setup) == "BLOB_MISSING"


def test_a_job_without_a_spec_is_refused(client: Client):
    call = lambda: list(client.call("RunJob", job_pb2.JobRequest(job_id="nothing")))  # noqa: E731
    assert refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST")


def test_plate_statistics_are_refused(client: Client, setup):
    setup.plate.statistics.SetInParent()
    call = lambda: list(client.matte(setup, []))  # noqa: E731
    assert refusal(call) == (grpc.StatusCode.UNIMPLEMENTED, "UNSUPPORTED")


def test_a_model_or_device_that_is_not_there_is_refused(client: Client, setup):
    setup.knobs.model = "nothing"
    call = lambda: list(client.matte(setup, []))  # noqa: E731
    assert refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "MODEL_UNKNOWN")
    setup.knobs.ClearField("model")
    setup.device = "cuda:7"
    assert refusal(call) == (grpc.StatusCode.UNAVAILABLE, "DEVICE_UNAVAILABLE")


def test_probe_reads_the_headers(client: Client, tmp_path: Path):
    file = write(tmp_path / "probe.exr", np.zeros((32, 48, 3), np.float32), depth="half")
    spec = job_pb2.ProbeSpec(image=client.image(file.read_bytes(), "probe.exr", ""))
    *_, last = client.call("RunJob", job_pb2.JobRequest(job_id="probe-1", probe=spec))
    assert last.job_id == "probe-1"
    assert last.done.probe.format == "openexr"
    (part,) = last.done.probe.parts
    assert {"R", "G", "B"} <= set(part.channels)
    assert list(part.data_window)[2:] == [48, 32]
    assert (part.pixel_aspect, part.depth, part.deep) == (1.0, "half", False)


def test_probe_of_what_is_no_image_is_refused(client: Client):
    spec = job_pb2.ProbeSpec(image=client.image(b"nothing", "broken.exr", ""))
    call = lambda: list(client.call("RunJob", job_pb2.JobRequest(job_id="probe-2", probe=spec)))  # noqa: E731
    assert refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_UNREADABLE")
