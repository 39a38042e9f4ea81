"""How much memory Linux lets this process have: a container or a render farm's job may have less than its machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_MEMBERSHIP = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def memory_limit(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> int | None:
    """Return the smallest memory limit of this process's control group and those above it.

    Version 2 keeps it in ``memory.max``, version 1 in ``memory/**/memory.limit_in_bytes`` (kernel documentation,
    admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst). Inside a container the group's path may be that of the host,
    which does not exist there; its root then is the container's own group.

    Args:
        membership: lines ``hierarchy:controllers:path``, as in /proc/self/cgroup.
        mount: where the control groups are mounted.

    Returns:
        Bytes; None where there is no limit or this is not Linux. Version 1 says "none" with a number near 2**63.
    """
    limits = [int(text) for text in _read_all(membership, mount) if text.isdecimal()]
    return min(limits, default=None)


def _read_all(membership: Path, mount: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for line in membership.read_text(encoding="utf-8").splitlines():
            hierarchy, controllers, path = line.split(":", 2)
            group = PurePosixPath(path.lstrip("/"))
            for place in (group, *group.parents):
                if hierarchy == "0":
                    yield _read(mount / place / "memory.max")
                elif "memory" in controllers.split(","):
                    yield _read(mount / "memory" / place / "memory.limit_in_bytes")


def _read(path: Path) -> str:
    """A file's text, empty where there is none."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    return ""
