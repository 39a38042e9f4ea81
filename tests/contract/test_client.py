"""The connection to an engine: addresses, TLS, health, and gRPC's errors as ours."""

import contextlib
import subprocess
import threading

import fake_engine
import grpc
import pytest

from host_bridge.connection.address import Address
from host_bridge.connection.client import Engine
from host_bridge.errors import BridgeError


@contextlib.contextmanager
def serving(credentials=None, **scenario):
    server, _, port = fake_engine.start(
        fake_engine.Scenario(**scenario), "secret", [], threading.Event(), credentials=credentials
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    return key, chain


@pytest.mark.parametrize(
    ("target", "local"),
    [
        ("127.0.0.1:50051", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/tmp/engine.sock", True),
        ("10.0.0.7:50051", False),
        ("render-gpu:50051", False),
    ],
)
def test_only_loopback_and_sockets_are_local(target, local):
    assert Address(target, "").is_local == local


def test_a_healthy_engine_says_so():
    with serving() as target, contextlib.closing(Engine(Address(target, "secret"))) as engine:
        assert engine.is_healthy()
        assert engine.identify("").device.name == "Fake CPU"


def test_health_needs_the_token_too():
    with serving() as target, contextlib.closing(Engine(Address(target, "guess"))) as engine:
        with pytest.raises(BridgeError) as caught:
            engine.is_healthy()
        assert caught.value.reason == "TOKEN_WRONG"


def test_tls_is_spoken_where_a_certificate_is_given(certificate):
    key, chain = certificate
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    with serving(credentials) as target:
        with contextlib.closing(Engine(Address(target, "secret", tls_ca=chain))) as engine:
            assert engine.describe().build == "fake-1"
        with contextlib.closing(Engine(Address(target, "secret"))) as engine:
            with pytest.raises(BridgeError) as caught:
                engine.describe()
            assert caught.value.reason == "ENGINE_UNAVAILABLE"


def test_a_missing_certificate_is_named(tmp_path):
    with pytest.raises(BridgeError, match=r"gone\.pem"):
        Engine(Address("render-gpu:1", "", tls_ca=tmp_path / "gone.pem"))


def test_nobody_at_the_address():
    engine = Engine(Address("127.0.0.1:1", "x"))
    with contextlib.closing(engine), pytest.raises(BridgeError, match=r"answers at 127\.0\.0\.1:1") as caught:
        engine.describe()
    assert caught.value.reason == "ENGINE_UNAVAILABLE"
