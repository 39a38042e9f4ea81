"""A plain gRPC client of the engine, which knows nothing of the side-car."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import grpc

from host_bridge.wire.v1 import engine_pb2, engine_pb2_grpc, error_pb2, image_pb2, matte_pb2

SECONDS = 60.0


class Client:
    """The engine's stub with a token. Every call has a deadline."""

    def __init__(self, address: str, token: str | None, credentials: grpc.ChannelCredentials | None = None) -> None:
        self.channel = grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)
        self.address, self.token = address, token
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        self.stub = engine_pb2_grpc.EngineStub(self.channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def call(self, method: str, request: object) -> object:
        """Call one of the engine's methods."""
        return getattr(self.stub, method)(request, metadata=self.metadata, timeout=SECONDS)

    def describe(self) -> engine_pb2.DescribeResponse:
        return self.call("Describe", engine_pb2.DescribeRequest())

    def upload(self, data: bytes, *, sha256: str = "", size: int = -1, chunk: int = 1 << 20) -> bool:
        """Upload bytes, announced as they are or otherwise; whether the engine stored them."""
        header = engine_pb2.UploadRequest.Header(sha256=sha256 or sha(data), size=len(data) if size < 0 else size)
        pieces = (data[start : start + chunk] for start in range(0, len(data), chunk))
        requests = [
            engine_pb2.UploadRequest(header=header),
            *(engine_pb2.UploadRequest(data=piece) for piece in pieces),
        ]
        return self.call("Upload", iter(requests)).stored

    def image(self, data: bytes, name: str = "frame.exr", space: str = "ACEScg") -> image_pb2.ImageRef:
        """Upload an image and return a reference to it."""
        self.upload(data)
        return image_pb2.ImageRef(sha256=sha(data), size=len(data), name=name, color_space=space)

    def matte(
        self, setup: matte_pb2.MatteSetup, frames: Iterable[matte_pb2.MatteFrame]
    ) -> Iterator[matte_pb2.MatteReply]:
        """Open a matte stream."""

        def requests() -> Iterator[matte_pb2.MatteRequest]:
            yield matte_pb2.MatteRequest(setup=setup)
            for frame in frames:
                yield matte_pb2.MatteRequest(frame=frame)

        return self.call("Matte", requests())


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def detail(error: grpc.RpcError) -> error_pb2.ErrorDetail:
    """The engine's own words about a failed call."""
    trailers = dict(error.trailing_metadata())
    return error_pb2.ErrorDetail.FromString(trailers["platekey-error-bin"])


def reason(error: grpc.RpcError) -> str:
    return error_pb2.ErrorReason.Name(detail(error).reason)


def matte_setup(plate: image_pb2.ImageRef, job_id: str = "job", **knobs: object) -> matte_pb2.MatteSetup:
    """A setup that holds one plate image, in the built-in CG config."""
    setup = matte_pb2.MatteSetup(job_id=job_id, knobs=matte_pb2.Knobs(**knobs))
    setup.plate.mapping = setup.plate.HOLD
    setup.plate.hold_frame = 1
    setup.plate.entries.add(frame=1, image=plate)
    setup.color.config.builtin = "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3"
    setup.color.output_space = "ACEScg"
    return setup


def plate(client: Client, name: str = "plate.exr") -> image_pb2.ImageRef:
    """A plate, uploaded; its bytes are no image."""
    return client.image(b"plate", name)


def frames(client: Client, numbers: range, data: bytes = b"frame") -> Iterator[matte_pb2.MatteFrame]:
    """Frames that all show the same image, made as they are asked for."""
    image = client.image(data)
    return (matte_pb2.MatteFrame(frame=number, image=image) for number in numbers)


def outcomes(replies: Iterable[matte_pb2.MatteReply]) -> dict[int, bytes | error_pb2.ErrorDetail]:
    """Collect a stream: a frame's bytes, checked against hash and length, or its error; in the order of arrival."""
    files: dict[int, bytes] = {}
    found: dict[int, bytes | error_pb2.ErrorDetail] = {}
    for reply in replies:
        match reply.WhichOneof("reply"):
            case "chunk":
                files[reply.chunk.frame] = files.get(reply.chunk.frame, b"") + reply.chunk.data
            case "done":
                data = files.pop(reply.done.frame)
                assert (sha(data), len(data)) == (reply.done.sha256, reply.done.size)
                found[reply.done.frame] = data
            case "failed":
                found[reply.failed.frame] = reply.failed.error
    return found
