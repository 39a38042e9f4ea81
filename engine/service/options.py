"""How to serve: what the command line says, as a value. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.service.binding import Address
from engine.service.limits import Limits


@dataclass(frozen=True)
class ServeOptions:
    """How to serve.

    Attributes:
        token: what every call must bear.
        address: where to listen.
        handshake: file to leave address and token in.
        roots: folders under which paths are read.
        device: id of the default device, or ``auto``.
        threads: arithmetic threads on the CPU; 0 for torch's choice.
        idle_stop: seconds without a call after which the engine stops; 0 for never.
        limits: what it accepts and keeps.
    """

    token: str
    address: Address = field(default_factory=Address)
    handshake: Path | None = None
    roots: tuple[Path, ...] = ()
    device: str = "auto"
    threads: int = 0
    idle_stop: float = 0.0
    limits: Limits = field(default_factory=Limits)
