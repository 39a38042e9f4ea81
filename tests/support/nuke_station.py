"""A place to work with the stand-in for Nuke: footage, a script, and a real side-car with a real engine behind it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
from pathlib import Path

import nuke
import numpy as np
from exr_files import read, write
from fake_nuke import session
from platekey.core.side_car import connect
from platekey.nuke import build, guard
from platekey.nuke.node import KeyNode
from platekey.nuke.state import NodeState
from scenes import shot, with_grain, with_subject
from side_car import REPOSITORY, command

SIZE = (90, 160)
FIRST, LAST = 1001, 1006
CLEAN = 1001
"""The frame without the subject."""


def write_shot(folder: Path) -> None:
    """Six frames with a subject that walks in after the first one, and a clean plate."""
    folder.mkdir(parents=True, exist_ok=True)
    empty = shot(SIZE, seed=3)
    for number in range(FIRST, LAST + 1):
        picture = empty if number == CLEAN else with_subject(np.roll(empty, 0, axis=1), 0.2)
        write(folder / f"plate.{number}.exr", with_grain(picture, seed=number))
    write(folder / "clean.exr", with_grain(empty, seed=7))
    garbage = np.zeros((*SIZE, 1), np.float32)
    garbage[:, :20] = 1.0
    write(folder / "garbage.exr", garbage, channels=("A",))


def side_car_environment(home: Path) -> dict[str, str]:
    """What a Nuke needs around it to find this repository's side-car."""
    return {
        "PLATEKEY_HOME": str(home),
        "PLATEKEY_SIDE_CAR": shlex.join(command("link", "--idle-stop", "120")),
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def side_car_ends(home: Path):
    """Stop, at the end, the side-car and the engines that were started for a home."""
    try:
        yield
    finally:
        with contextlib.suppress(Exception), connect() as link:
            link.call("shutdown")
        for state in (home / "run").glob("engine-*.json"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)


def new_script(folder: Path, gui: bool = True) -> session.Session:
    """A new Nuke with a saved, empty script in a folder, and PlateKey's callbacks as ``init.py`` registers them."""
    running = session.start(gui)
    guard.install()
    root = nuke.root()
    root["first_frame"].setValue(FIRST)
    root["last_frame"].setValue(LAST)
    root["frame"].setValue(FIRST + 2)
    folder.mkdir(parents=True, exist_ok=True)
    nuke.scriptSaveAs(str(folder / "comp.nk"))
    return running


def footage(folder: Path, name: str = "Plate") -> nuke.Node:
    """A Read of the shot, as an artist drags it in."""
    read_node = nuke.nodes.Read(name=name, file=str(folder / "plate.%04d.exr"), file_type="exr")
    for knob, frame in (("first", FIRST), ("last", LAST), ("origfirst", FIRST), ("origlast", LAST)):
        read_node[knob].setValue(frame)
    read_node["colorspace"].setValue("default (linear)")
    return read_node


def still(path: Path, name: str) -> nuke.Node:
    """A Read of one file, as an artist drags it in: frame 1, held before and after."""
    return nuke.nodes.Read(name=name, file=str(path), file_type="exr", raw=True, first=1, last=1)


def key_node(source: nuke.Node) -> KeyNode:
    """A PlateKey on a node, with the whole shot as its range."""
    for node in nuke.allNodes():
        node.setSelected(node is source)
    group = build.create()
    group["clean_frame"].setValue(CLEAN)
    return KeyNode(group)


def writer(source: nuke.Node, folder: Path, channels: str = "rgba") -> nuke.Node:
    """A Write that renders a node's picture as it is."""
    return nuke.nodes.Write(
        inputs=[source],
        file=str(folder / "out.%04d.exr"),
        file_type="exr",
        channels=channels,
        raw=True,
        create_directories=True,
        datatype="32 bit float",
    )


def picture(path: Path) -> dict[str, np.ndarray]:
    """An EXR's channels."""
    spec, pixels = read(path)
    return {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def result(key: KeyNode, frame: int) -> Path:
    """Where a node plays a frame's layers back from."""
    return Path(key.inner("Results")["file"].evaluate(frame))


def pretend(key: KeyNode, frames) -> None:
    """Give a node results of its present state that no engine made."""
    state = NodeState(key)
    manifest = state.manifest()
    for frame in frames:
        manifest.file(frame).parent.mkdir(parents=True, exist_ok=True)
        write(manifest.file(frame), np.full((*SIZE, 4), frame / 10000, np.float32), channels="RGBA")
        manifest.record(frame, state.at(frame, "engine", "weights"), "engine", "weights")
    key.point_at(state.folder)
