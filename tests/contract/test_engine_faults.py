"""What goes wrong with frames: faults, cancelling, vanishing clients, a stop. Only the pipeline is stood in for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import grpc
import pytest
import torch
from engine_client import Client, frames, matte_setup, outcomes, plate, reason
from eventually import eventually
from gated_compute import GatedCompute
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.errors import EngineError
from engine.service.limits import Limits
from engine.service.options import ServeOptions
from engine.service.server import EngineServer
from host_bridge.wire.v1 import error_pb2, job_pb2

Serve = Callable[..., Client]


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (EngineError("SIZE_MISMATCH", "plate.exr is small.", "Render it again.", width=3), "SIZE_MISMATCH"),
        (torch.OutOfMemoryError("CUDA out of memory"), "OUT_OF_MEMORY"),
        (MemoryError(), "OUT_OF_MEMORY"),
        (ZeroDivisionError("unforeseen"), "INTERNAL"),
    ],
)
def test_a_frame_that_fails_does_not_end_the_stream(serve_here: Serve, caplog, failure: Exception, why: str):
    compute = GatedCompute()
    compute.failures[2] = failure
    client = serve_here(compute)
    found = outcomes(client.matte(matte_setup(plate(client), "shot-7"), frames(client, range(1, 4))))
    assert list(found) == [1, 2, 3]
    assert (found[1], found[3]) == (b"frame", b"frame")
    assert error_pb2.ErrorReason.Name(found[2].reason) == why
    assert found[2].next_step
    assert "job shot-7, frame 2, stage encode" in caplog.text or why == "SIZE_MISMATCH"
    assert dict(found[2].facts) == ({"width": "3"} if why == "SIZE_MISMATCH" else {})


def dropped(compute):
    """Whatever began was told to stop. The worker may have taken one more frame before word of the end reached it."""
    began = [number for _, number in compute.began]
    return began == compute.cancelled and len(began) <= 2


def test_cancelling_by_id_drops_running_and_waiting_work(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute)
    replies = client.matte(matte_setup(plate(client), "doomed"), frames(client, range(1, 9)))
    eventually(lambda: len(compute.began) == 1)
    assert client.call("CancelJob", job_pb2.CancelJobRequest(job_id="doomed")).was_running
    with pytest.raises(grpc.RpcError) as caught:
        list(replies)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.CANCELLED, "CANCELLED")
    eventually(lambda: client.describe().active_calls == 0)
    assert dropped(compute)
    assert not client.call("CancelJob", job_pb2.CancelJobRequest(job_id="doomed")).was_running


@pytest.mark.parametrize(
    "leave", [lambda client, replies: replies.cancel(), lambda client, replies: client.channel.close()]
)
def test_a_client_that_goes_away_frees_the_device(serve_here: Serve, leave):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute)
    goer = Client(client.address, client.token)
    replies = goer.matte(matte_setup(plate(client), "goer"), frames(client, range(1, 9)))
    eventually(lambda: len(compute.began) == 1)
    assert client.describe().active_calls == 1
    leave(goer, replies)
    eventually(lambda: client.describe().active_calls == 0)
    assert dropped(compute)
    compute.gate.set()
    assert list(outcomes(client.matte(matte_setup(plate(client), "goer"), frames(client, range(1, 3))))) == [1, 2]


def test_a_client_that_goes_away_leaves_no_frame_in_memory(serve_here: Serve):
    compute = GatedCompute(is_open=False)
    client = serve_here(compute, store_bytes=1 << 20)
    goer = Client(client.address, client.token)
    replies = goer.matte(matte_setup(plate(client), "goer"), frames(client, range(1, 9)))
    eventually(lambda: len(compute.began) == 1)
    kept = compute.forget()
    replies.cancel()
    eventually(lambda: all(frame() is None for frame in kept))


def test_what_is_unforeseen_in_a_call_is_internal_and_logged(serve_here: Serve, caplog):
    client = serve_here(GatedCompute())
    probe = job_pb2.ProbeSpec(image=plate(client))
    with pytest.raises(grpc.RpcError) as caught:
        list(client.call("RunJob", job_pb2.JobRequest(job_id="p", probe=probe)))
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "unforeseen" in caplog.text
    assert "unforeseen" not in caught.value.details()


def test_a_stopping_engine_finishes_what_runs_and_takes_nothing_new():
    compute = GatedCompute(is_open=False)
    server = EngineServer(ServeOptions("t", device="cpu", limits=Limits(frames_in_flight=1)), compute)
    with Client(server.start(), "t") as client:
        replies = client.matte(matte_setup(plate(client)), frames(client, range(1, 4)))
        eventually(lambda: len(compute.began) == 1)
        stop = threading.Thread(target=server.stop)
        stop.start()
        eventually(lambda: refused(client))
        compute.gate.set()
        found = outcomes(replies)
        stop.join(10)
    assert found.pop(1) == b"frame"
    assert [error_pb2.ErrorReason.Name(error.reason) for error in found.values()] == ["ENGINE_STOPPING"] * 2


def test_a_health_watch_does_not_hold_up_a_stop():
    server = EngineServer(ServeOptions("t", device="cpu"), GatedCompute())
    with Client(server.start(), "t") as client:
        health = health_pb2_grpc.HealthStub(client.channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(), metadata=client.metadata)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        began = time.monotonic()
        assert server.stop(grace=8.0)
        assert time.monotonic() - began < 4.0


def test_after_the_grace_what_runs_is_dropped():
    compute = GatedCompute(is_open=False)
    server = EngineServer(ServeOptions("t", device="cpu"), compute)
    with Client(server.start(), "t") as client:
        replies = client.matte(matte_setup(plate(client)), frames(client, range(1, 4)))
        eventually(lambda: len(compute.began) == 1)
        assert server.stop(grace=0.0)
        assert dropped(compute)
        with pytest.raises(grpc.RpcError):
            outcomes(replies)


def refused(client: Client) -> bool:
    """Whether new calls are turned away."""
    try:
        client.describe()
    except grpc.RpcError as error:
        return error.code() == grpc.StatusCode.UNAVAILABLE
    return False
