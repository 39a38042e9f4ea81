"""Where an engine is, how to be let in, and where to look when it fails."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Address:
    """Where an engine is and how to be let in.

    Attributes:
        target: ``host:port`` or ``unix:PATH``.
        token: what every call must bear.
        tls_ca: certificate that signs the engine's; None for the system's list. Only used off loopback.
        shares_disk: a path here is the same file there.
        token_from: file or variable that the token was read from, for messages.
        log: the log of an engine that was started here; None for another.
    """

    target: str
    token: str
    tls_ca: Path | None = None
    shares_disk: bool = False
    token_from: str = ""
    log: Path | None = None

    @property
    def advice(self) -> str:
        """What to do where the engine died or fails."""
        return f"Run 'platekey doctor', and look at the end of the engine's log{f', {self.log}' if self.log else ''}."

    @property
    def is_local(self) -> bool:
        """Unix socket or loopback: nobody else can listen in, so no TLS."""
        if self.target.startswith("unix:"):
            return True
        host = self.target.rpartition(":")[0].strip("[]")
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False
