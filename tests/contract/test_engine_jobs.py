"""Jobs of any kind: from the side-car's function through a real server to a kind's function and back to files."""

from __future__ import annotations

import threading

import fake_job
import grpc
import pytest
from gated_compute import GatedCompute

from engine.service import job_kinds
from host_bridge.cancellation import Cancellation
from host_bridge.connection.address import Address
from host_bridge.connection.client import Engine
from host_bridge.engine_job import EngineJob, run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.wire.v1 import job_pb2


class Compute(GatedCompute):
    def session(self, device):
        return f"session of {device}"


@pytest.fixture
def client(serve_here, monkeypatch):
    monkeypatch.setitem(job_kinds.KINDS, "report", "fake_job")
    fake_job.ended.clear()
    return serve_here(Compute(), chunk_bytes=1 << 20)


@pytest.fixture
def engine(client):
    connected = Engine(Address(client.address, client.token))
    yield connected
    connected.close()


def job(title, folder, **fields):
    outputs = {"page.html": folder / "out.html", "empty.txt": folder / "empty.txt"}
    return EngineJob("report", job_pb2.ReportSpec(title=title), outputs=outputs, **fields)


def test_files_progress_and_result_arrive(engine, tmp_path):
    heard = []
    done = run_engine_job(job("work", tmp_path), engine, heard.append, Cancellation())
    assert done.json == '{"pages": 1}'
    assert (tmp_path / "out.html").read_bytes() == fake_job.DATA
    assert (tmp_path / "empty.txt").read_bytes() == b""
    assert [(event.done, event.message) for event in heard] == [(0.25, "beginning")]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_job_that_fails_leaves_nothing_and_says_why(engine, tmp_path):
    with pytest.raises(BridgeError) as caught:
        run_engine_job(job("fail", tmp_path), engine, [].append, Cancellation())
    assert (caught.value.reason, caught.value.facts) == ("REGISTRATION_FAILED", {"inliers": "3"})
    assert not list(tmp_path.iterdir())


def test_cancelling_ends_the_engines_work_and_leaves_nothing(engine, tmp_path):
    cancellation = Cancellation()
    with pytest.raises(BridgeError) as caught:
        run_engine_job(job("last", tmp_path), engine, lambda _: cancellation.cancel(), cancellation)
    assert caught.value.reason == "CANCELLED"
    assert fake_job.ended.wait(5)
    assert not list(tmp_path.iterdir())


def test_another_client_can_cancel_by_id(client):
    request = job_pb2.JobRequest(job_id="long", report=job_pb2.ReportSpec(title="last"))
    events = client.call("RunJob", request)
    assert next(events).progress.message == "beginning"
    timer = threading.Timer(0.05, client.call, ("CancelJob", job_pb2.CancelJobRequest(job_id="long")))
    timer.start()
    with pytest.raises(grpc.RpcError) as caught:
        list(events)
    timer.join()
    assert caught.value.code() == grpc.StatusCode.CANCELLED
    assert fake_job.ended.wait(5)


def test_a_job_takes_its_turn_on_a_device(engine, tmp_path):
    heard = []
    done = run_engine_job(job("device", tmp_path), engine, heard.append, Cancellation())
    assert done.json == '{"session": "session of cpu"}'
    assert [event.message for event in heard] == ["beginning", "there"]


def test_a_file_of_somebody_elses_is_refused_before_work_begins(tmp_path):
    (tmp_path / "out.html").write_text("mine")
    with pytest.raises(BridgeError) as caught:
        job("work", tmp_path).check_outputs()
    assert caught.value.reason == "OUTPUT_EXISTS"
    job("work", tmp_path, overwrite=True).check_outputs()


def test_a_folder_that_is_not_there_is_refused_before_work_begins(tmp_path):
    with pytest.raises(BridgeError) as caught:
        job("work", tmp_path / "absent").check_outputs()
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


def test_an_engine_that_knows_no_such_job_is_named(engine):
    with pytest.raises(BridgeError) as caught:
        run_engine_job(EngineJob("nothing", job_pb2.ReportSpec()), engine, [].append, Cancellation())
    assert caught.value.reason == "UNSUPPORTED"


def test_a_file_that_was_not_asked_for_is_not_written(engine, tmp_path):
    with pytest.raises(BridgeError) as caught:
        run_engine_job(EngineJob("report", job_pb2.ReportSpec(title="work")), engine, [].append, Cancellation())
    assert caught.value.reason == "VERSION_MISMATCH"
