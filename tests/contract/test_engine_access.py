"""Who may call, where the engine listens, how it starts and how it leaves; real processes throughout."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from engine_client import Client, reason, sha
from engine_process import EngineProcess, serve_and_fail
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from host_bridge.wire.v1 import engine_pb2


def describe(client: Client) -> object:
    return client.describe()


def check_health(client: Client) -> object:
    health = health_pb2_grpc.HealthStub(client.channel)
    return health.Check(health_pb2.HealthCheckRequest(), metadata=client.metadata, timeout=10)


def list_services(client: Client) -> list[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (answer,) = stub.ServerReflectionInfo(asked, metadata=client.metadata, timeout=10)
    return sorted(service.name for service in answer.list_services_response.service)


@pytest.mark.parametrize("token", [None, "", "wrong", "Bearer"])
@pytest.mark.parametrize("call", [describe, check_health, list_services])
def test_no_call_works_without_the_token(engine_process: EngineProcess, token: str | None, call: Callable):
    with Client(engine_process.handshake()["address"], token) as stranger, pytest.raises(grpc.RpcError) as caught:
        call(stranger)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_WRONG")


def test_reflection_lists_the_services(client: Client):
    assert list_services(client) == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "platekey.v1.Engine",
    ]


def test_the_device_answers(client: Client):
    assert check_health(client).status == health_pb2.HealthCheckResponse.SERVING


def test_the_handshake_is_for_its_owner_only(engine_process: EngineProcess):
    handshake = engine_process.handshake()
    assert set(handshake) == {"pid", "address", "token", "version", "build", "wire"}
    assert handshake["pid"] == engine_process.process.pid
    assert len(handshake["token"]) >= 32
    assert stat.S_IMODE(engine_process.handshake_file.stat().st_mode) == 0o600
    assert [file.name for file in engine_process.handshake_file.parent.glob("engine.json*")] == ["engine.json"]


@pytest.mark.parametrize(("in_file", "in_environment", "holds"), [("f", "", "f"), ("", "e", "e"), ("f", "e", "f")])
def test_a_given_token_is_the_one_that_holds(tmp_path: Path, in_file: str, in_environment: str, holds: str):
    (tmp_path / "token").write_text(f"{in_file}\n")
    options = ("--token-file", str(tmp_path / "token")) if in_file else ()
    with EngineProcess(tmp_path, *options, environment={"PLATEKEY_TOKEN": in_environment}) as process:
        assert process.handshake()["token"] == holds
        with process.client() as client:
            client.describe()


@pytest.mark.parametrize("ask", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_removes_the_handshake(tmp_path: Path, ask: signal.Signals):
    with EngineProcess(tmp_path) as process:
        process.handshake()
        process.process.send_signal(ask)
        assert process.process.wait(15) == 0
        assert not process.handshake_file.exists()
        assert "stopped" in process.log.read_text()


def test_stop_stops_it(tmp_path: Path):
    with EngineProcess(tmp_path) as process, process.client() as client:
        assert client.call("Stop", engine_pb2.StopRequest()).stopping
        assert process.process.wait(15) == 0
        assert not process.handshake_file.exists()


def test_it_stops_when_idle_but_not_under_a_call(tmp_path: Path):
    data = b"slowly sent"

    def slowly() -> Iterator[engine_pb2.UploadRequest]:
        yield engine_pb2.UploadRequest(header=engine_pb2.UploadRequest.Header(sha256=sha(data), size=len(data)))
        time.sleep(2.0)
        yield engine_pb2.UploadRequest(data=data)

    with EngineProcess(tmp_path, "--idle-stop", "1") as process, process.client() as client:
        assert client.call("Upload", slowly()).stored
        assert process.process.wait(10) == 0
        assert not process.handshake_file.exists()


def test_another_engines_handshake_is_left_alone(tmp_path: Path):
    with EngineProcess(tmp_path) as process, process.client() as client:
        other = {**process.handshake(), "pid": 1}
        process.handshake_file.write_text(json.dumps(other))
        client.call("Stop", engine_pb2.StopRequest())
        assert process.process.wait(15) == 0
        assert json.loads(process.handshake_file.read_text()) == other


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        failed = serve_and_fail("--port", str(port), "--handshake", str(tmp_path / "engine.json"))
    assert failed.returncode == 3
    assert f"127.0.0.1:{port}: address already in use" in failed.stderr
    assert "--port" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "engine.json").exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--host", "0.0.0.0", "--handshake", "h.json"), 2, "--tls-cert"),
        (("--host", "example.org", "--handshake", "h.json"), 2, "SSH tunnel"),
        (("--tls-cert", "c.pem", "--handshake", "h.json"), 2, "--tls-key"),
        (("--tls-cert", "absent.pem", "--tls-key", "absent.pem", "--handshake", "h.json"), 3, "absent.pem"),
        ((), 2, "--handshake"),
        (("--token-file", "absent"), 2, "absent"),
        (("--handshake", "/absent/h.json"), 3, "/absent"),
        (("--device", "cuda:9", "--handshake", "h.json"), 4, "cuda:9"),
    ],
)
def test_options_that_cannot_be_are_one_clear_sentence(options: tuple[str, ...], code: int, words: str):
    failed = serve_and_fail(*options)
    assert failed.returncode == code, failed.stderr
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_unix_socket_is_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "engine.sock"
    with EngineProcess(tmp_path, "--uds", str(path)) as process, process.client() as client:
        assert process.handshake()["address"] == f"unix:{path}"
        assert client.describe().pid == process.process.pid
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        failed = serve_and_fail("--uds", str(path), "--handshake", str(tmp_path / "second.json"))
        assert failed.returncode == 3
        assert "another process answers there" in failed.stderr
        client.describe()


def test_tls_lets_in_who_trusts_the_certificate(tmp_path: Path, certificate: tuple[Path, Path]):
    key, chain = certificate
    options = ("--host", "127.0.0.1", "--tls-cert", str(chain), "--tls-key", str(key))
    with EngineProcess(tmp_path, *options) as process:
        trusted = grpc.ssl_channel_credentials(chain.read_bytes())
        with process.client(credentials=trusted) as client:
            assert client.describe().pid == process.process.pid
        with process.client() as plain, pytest.raises(grpc.RpcError) as caught:
            plain.describe()
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A key and a self-signed certificate for 127.0.0.1."""
    key, chain = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no openssl to make a certificate with")
    return key, chain
