"""Where the engine listens: loopback or a unix socket, and anywhere else with TLS only."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import grpc

from engine.errors import EngineError


@dataclass(frozen=True)
class Address:
    """What to bind.

    Attributes:
        host: name or number of an interface of this machine.
        port: 0 for a free one.
        uds: path of a unix socket, used instead of host and port.
        tls: PEM files of private key and certificate chain.
    """

    host: str = "127.0.0.1"
    port: int = 0
    uds: Path | None = None
    tls: tuple[Path, Path] | None = None

    def __post_init__(self) -> None:
        """Refuse to send frames and the token in the clear.

        Raises:
            EngineError: BAD_REQUEST.
        """
        if self.uds is None and self.tls is None and not _is_loopback(self.host):
            raise EngineError(
                "BAD_REQUEST",
                f"{self.host} is open to other machines, and the connection would not be encrypted.",
                "Give --tls-cert and --tls-key, or listen at 127.0.0.1 behind an SSH tunnel.",
                host=self.host,
            )


def bind(server: grpc.Server, address: Address) -> str:
    """Bind the server.

    Returns:
        ``host:port`` with the port that was found, or ``unix:path``.

    Raises:
        OSError: the address is taken or not to be had; the message says which and what to do.
    """
    return _bind_socket(server, address.uds) if address.uds else _bind_port(server, address)


def _bind_port(server: grpc.Server, address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    target = f"{host}:{address.port}"
    try:
        if address.tls is None:
            port = server.add_insecure_port(target)
        else:
            key, chain = (file.read_bytes() for file in address.tls)
            port = server.add_secure_port(target, grpc.ssl_server_credentials([(key, chain)]))
    except RuntimeError as error:
        why = _obstacle(address.host, address.port)
        raise OSError(f"Cannot listen at {target}: {why}. Choose another --port, or 0 for a free one.") from error
    return f"{host}:{port}"


def _bind_socket(server: grpc.Server, path: Path) -> str:
    """Bind a unix socket that its owner alone may open. gRPC replaces socket files: a live one is looked for first."""
    if _answers(path):
        raise OSError(f"Cannot listen at {path}: another process answers there. Choose another --uds.")
    mask = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise OSError(
            f"Cannot listen at {path}: no socket can be made there. Choose a short path in a folder of yours."
        ) from error
    finally:
        os.umask(mask)
    return f"unix:{path}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _obstacle(host: str, port: int) -> str:
    """Ask the system what gRPC does not tell."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.bind(place)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "the key, the certificate or the address was refused"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0
