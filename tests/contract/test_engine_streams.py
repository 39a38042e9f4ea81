"""Streams of frames: order, progress, fairness, bounds, health while busy. Only the pipeline is stood in for."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from engine_client import Client, frames, matte_setup, outcomes, plate, reason
from eventually import eventually
from gated_compute import REPORT, GatedCompute
from grpc_health.v1 import health_pb2, health_pb2_grpc

from host_bridge.wire.v1 import engine_pb2, matte_pb2, plate_pb2

Serve = Callable[..., Client]


def test_frames_return_whole_in_order_with_progress_and_report(serve_here: Serve):
    client = serve_here(GatedCompute(), chunk_bytes=1000)
    data = bytes(range(256)) * 10
    replies = list(client.matte(matte_setup(plate(client)), frames(client, range(-2, 7), data)))
    assert outcomes(replies) == dict.fromkeys(range(-2, 7), data)
    assert list(outcomes(replies)) == list(range(-2, 7))
    of_one = [reply for reply in replies if getattr(reply, reply.WhichOneof("reply")).frame == 3]
    kinds = [kind for kind, _ in itertools.groupby(reply.WhichOneof("reply") for reply in of_one)]
    assert kinds == ["progress", "chunk", "done"]
    assert max(len(reply.chunk.data) for reply in of_one) == 1000
    shares = [(reply.progress.stage, reply.progress.done) for reply in of_one if reply.HasField("progress")]
    assert [stage for stage, _ in shares] == ["decode", "matte", "encode"]
    assert [done for _, done in shares] == sorted(done for _, done in shares)
    report = of_one[-1].done.report
    assert report.residual_median_px == REPORT.residual_median_px
    assert report.gain == pytest.approx(REPORT.gain)
    assert (list(report.warnings), dict(report.seconds)) == (list(REPORT.warnings), REPORT.seconds)


def test_clients_take_turns(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute)
    long = client.matte(matte_setup(plate(client, "long"), "long"), frames(client, range(1, 9)))
    eventually(lambda: compute.began == [("long", 1)])
    short = client.matte(matte_setup(plate(client, "short"), "short"), frames(client, range(1, 3)))
    next(iter(long))
    eventually(lambda: client.describe().active_calls == 2)
    threading.Timer(0.3, compute.gate.set).start()
    assert list(outcomes(short)) == [1, 2]
    assert list(outcomes(long)) == list(range(1, 9))
    assert compute.began.index(("short", 2)) <= 4


def test_a_client_that_reads_slowly_bounds_what_is_in_flight(serve_here: Serve):
    compute = GatedCompute()
    client = serve_here(compute, frames_in_flight=2)
    taken = []

    def counted() -> Iterator[matte_pb2.MatteFrame]:
        for frame in frames(client, range(40), bytes(3 << 20)):
            taken.append(frame.frame)
            yield frame

    replies = client.matte(matte_setup(plate(client)), counted())
    eventually(lambda: len(compute.began) >= 2)
    with pytest.raises(AssertionError):
        eventually(lambda: len(compute.began) > 4, seconds=0.7)
    assert list(outcomes(replies)) == list(range(40))


def test_a_busy_engine_is_healthy_and_not_stopped(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute)
    replies = client.matte(matte_setup(plate(client)), frames(client, range(1, 3)))
    eventually(lambda: len(compute.began) == 1)
    health = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", "platekey.v1.Engine"):
        asked = health_pb2.HealthCheckRequest(service=service)
        assert health.Check(asked, metadata=client.metadata, timeout=2).status == health_pb2.HealthCheckResponse.SERVING
    assert not client.call("Stop", engine_pb2.StopRequest()).stopping
    compute.gate.set()
    assert list(outcomes(replies)) == [1, 2]


def test_health_watch_answers_at_once(serve_here: Serve):
    client = serve_here(GatedCompute())
    health = health_pb2_grpc.HealthStub(client.channel)
    watch = health.Watch(health_pb2.HealthCheckRequest(), metadata=client.metadata, timeout=10)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_an_unknown_service_has_no_health(serve_here: Serve):
    client = serve_here(GatedCompute())
    asked = health_pb2.HealthCheckRequest(service="another")
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(client.channel).Check(asked, metadata=client.metadata, timeout=2)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_job_id_is_used_once_at_a_time(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute)
    running = client.matte(matte_setup(plate(client), "same"), frames(client, range(1, 2)))
    eventually(lambda: len(compute.began) == 1)
    for job_id in ("same", ""):
        with pytest.raises(grpc.RpcError) as caught:
            list(client.matte(matte_setup(plate(client), job_id), []))
        assert reason(caught.value) == "BAD_REQUEST"
    compute.gate.set()
    assert list(outcomes(running)) == [1]


def test_a_device_has_room_for_so_many_clients(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute, streams=1)
    running = client.matte(matte_setup(plate(client), "first"), frames(client, range(1, 2)))
    eventually(lambda: len(compute.began) == 1)
    with pytest.raises(grpc.RpcError) as caught:
        list(client.matte(matte_setup(plate(client), "second"), []))
    assert reason(caught.value) == "LIMIT_EXCEEDED"
    compute.gate.set()
    assert list(outcomes(running)) == [1]


@pytest.mark.parametrize(
    ("mapping", "settings", "expected"),
    [
        (plate_pb2.PlateManifest.HOLD, {"hold_frame": 12}, {11: 12, 12: 12, 13: 12}),
        (plate_pb2.PlateManifest.MATCH, {}, {11: 11, 12: 12, 13: None}),
        (plate_pb2.PlateManifest.OFFSET, {"offset": -1}, {11: None, 12: 11, 13: 12}),
        (plate_pb2.PlateManifest.HOLD, {"hold_frame": 99}, {11: None, 12: None, 13: None}),
    ],
)
def test_a_frame_finds_its_plate(serve_here: Serve, mapping, settings: dict, expected: dict):
    compute = GatedCompute()
    client = serve_here(compute)
    setup = matte_setup(plate(client))
    setup.plate.CopyFrom(plate_pb2.PlateManifest(mapping=mapping, **settings))
    for number in (11, 12):
        setup.plate.entries.add(frame=number, image=plate(client, str(number)))
    found = outcomes(client.matte(setup, frames(client, range(11, 14))))
    assert {number: int(name) for name, number in compute.began} == {
        frame: image for frame, image in expected.items() if image is not None
    }
    for frame, image in expected.items():
        assert image is not None or f"frame {frame}" in found[frame].message
