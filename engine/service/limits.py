"""The engine's stated limits; clients read them in `DescribeResponse.limits`."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """What this engine accepts and keeps. Sizes in bytes.

    Attributes:
        message_bytes: largest message accepted; gRPC's own default, stated so that both sides agree.
        chunk_bytes: size of the pieces a file is sent in. gRPC advises 16 KiB to 64 KiB for latency; larger pieces cost
            fewer Python calls, and 1 MiB stays far below ``message_bytes``.
        blob_bytes: largest file held. An uncompressed float RGBA frame of 8192 x 4320 is 0.53 GiB.
        store_bytes: memory of the content store.
        plate_cache_bytes: memory of decoded plates.
        frames_in_flight: frames of one stream that are loaded, computed or not yet delivered.
        streams: clients that may share one device at a time.
    """

    message_bytes: int = 4 * MIB
    chunk_bytes: int = MIB
    blob_bytes: int = GIB
    store_bytes: int = 2 * GIB
    plate_cache_bytes: int = 2 * GIB
    frames_in_flight: int = 4
    streams: int = 16
