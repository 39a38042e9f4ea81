"""Devices: what they are called, how much memory they have, and how they say that it ran out."""

import os
import platform

import pytest
import torch

from engine.network import device
from engine.network.cgroup import memory_limit

GROUP_V1 = "4:memory:/render/job\n1:cpu:/render/job\n"
GROUP_V2 = "0::/render/job\n"


def test_torch_itself_says_that_memory_ran_out():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50)
    assert device.is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("message", "short"),
    [
        ("DefaultCPUAllocator: not enough memory: you tried to allocate 4096 bytes.", True),  # Windows
        ("MPS backend out of memory (MPS allocated: 9.0 GB, other allocations: 1.0 MB).", True),
        ("The size of tensor a (3) must match the size of tensor b (4)", False),
    ],
)
def test_short_memory_is_told_from_other_faults(message, short):
    assert device.is_out_of_memory(RuntimeError(message)) is short


@pytest.fixture
def on_a_mac(tmp_path, monkeypatch):
    """Return a function that puts a shell script in place of sysctl."""
    if os.name == "nt":
        pytest.skip("needs a POSIX shell")

    def install(script):
        command = tmp_path / "sysctl"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(platform, "system", lambda: "Darwin")

    return install


def test_an_apple_chip_is_called_by_its_name(on_a_mac):
    on_a_mac('[ "$*" = "-n machdep.cpu.brand_string" ] && echo "Apple M3 Max"')
    assert device.name("mps") == "Apple M3 Max"
    assert device.name("cpu").startswith("Apple M3 Max (")


def test_a_mac_that_does_not_tell_still_has_a_name(on_a_mac):
    on_a_mac("exit 1")
    assert device.name("mps")


@pytest.mark.parametrize(
    ("membership", "files", "limit"),
    [
        (GROUP_V2, {"render/job/memory.max": "max", "render/memory.max": "4096"}, 4096),
        (GROUP_V2, {"render/job/memory.max": "2048", "render/memory.max": "4096"}, 2048),
        (GROUP_V2, {"memory.max": "1024"}, 1024),
        (GROUP_V2, {"render/job/memory.max": "max"}, None),
        (GROUP_V2, {"render/other/memory.max": "1"}, None),
        (GROUP_V1, {"memory/render/job/memory.limit_in_bytes": "512"}, 512),
        (GROUP_V1, {"memory/memory.limit_in_bytes": "256", "render/job/memory.max": "1"}, 256),
        ("", {"memory.max": "1"}, None),
    ],
)
def test_the_smallest_limit_on_the_way_up_counts(tmp_path, membership, files, limit):
    for name, text in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "cgroup").write_text(membership)
    assert memory_limit(tmp_path / "cgroup", tmp_path / "mount") == limit


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert memory_limit(tmp_path / "absent", tmp_path) is None


@pytest.mark.parametrize("limit", [None, 3 << 30, 1 << 62])
def test_a_container_has_no_more_than_its_limit_nor_than_its_machine(monkeypatch, limit):
    monkeypatch.setattr(device, "memory_limit", lambda: None)
    machine = device.memory_total("cpu")
    monkeypatch.setattr(device, "memory_limit", lambda: limit)
    assert device.memory_total("cpu") == min(machine, limit or machine)
    assert device.memory_free("cpu") <= device.memory_total("cpu")
    assert device.tile_pixels("cpu", 1000) == device.memory_total("cpu") // 2 // 1000
