"""Devices: which one computes, in which precision, and how large a tile it can hold."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from typing import Literal

import torch

from engine.errors import EngineError
from engine.network.cgroup import memory_limit

# Memory assumed where the system does not tell, bytes.
_UNKNOWN_MEMORY = 8 << 30

# Share of a device's whole memory that a network may fill.
_SHARE = 0.5

# How torch says it in a plain RuntimeError: c10/core/impl/alloc_cpu.cpp, aten/src/ATen/mps/MPSAllocator.mm.
_OUT_OF_MEMORY = ("DefaultCPUAllocator", "MPS backend out of memory")


def available() -> list[str]:
    """Ids of all devices, the best first: ``cuda:0`` ..., ``mps``, ``cpu``."""
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def choose(wanted: str) -> str:
    """The device of a wish: ``auto`` or empty takes the best, ``cuda`` the first GPU.

    Raises:
        EngineError: DEVICE_UNAVAILABLE, listing what there is.
    """
    devices = available()
    if wanted in {"", "auto"}:
        return devices[0]
    device = "cuda:0" if wanted == "cuda" else wanted
    if device not in devices:
        step = f"Choose one of: {', '.join(devices)}."
        raise EngineError("DEVICE_UNAVAILABLE", f"There is no device {wanted!r} on this machine.", step)
    return device


def name(device: str) -> str:
    """Name of the chip; of a CPU with the instruction set that torch uses on it, since rounding depends on it."""
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"{_processor()} ({torch.backends.cpu.get_cpu_capability()})" if device == "cpu" else _processor()


def _processor() -> str:
    if platform.system() == "Darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_total(device: str) -> int:
    """Bytes that this process may have of the device's, used or not.

    A property of the machine and of the container on it, so that what depends on it does not vary.
    """
    if device.startswith("cuda"):
        return int(torch.cuda.get_device_properties(device).total_memory)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        physical = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        return min(physical, memory_limit() or physical)
    return _UNKNOWN_MEMORY


def memory_free(device: str) -> int:
    """Bytes free now, 0 where the system does not tell."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        return min(int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")), memory_total(device))
    return 0


def preferred_precision(device: str) -> Literal["float", "half"]:
    """Half on CUDA, whose tensor cores gain from it; float elsewhere."""
    return "half" if device.startswith("cuda") else "float"


def tile_pixels(device: str, bytes_per_pixel: int) -> int:
    """Largest tile, pixels. It follows from the whole memory, not the free one: the same machine, the same tiles."""
    return int(memory_total(device) * _SHARE) // bytes_per_pixel


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory, on any device."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)


def release(device: str) -> None:
    """Return cached memory to the device."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
