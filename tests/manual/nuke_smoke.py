"""Sees whether PlateKey's node works in a real Nuke. Takes a minute or two, and a render or interactive licence.

    platekey install nuke
    nuke -t nuke_smoke.py

It makes its own pictures in a temporary folder, and prints a line for every question:

    [smoke] OK   a disabled Write writes nothing
    [smoke] FAIL a Write that was switched on writes: ...

The exit code is the number of failures. Send back what it printed, with the first line, which names your Nuke.
It has passed in PlateKey's stand-in for Nuke, which proves that the script runs, and nothing about Nuke.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable

import nuke

FIRST, LAST = 1001, 1003
LEVEL = 0.25
QUESTIONS: list[tuple[str, Callable[[Bench], None]]] = []


def question(text: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Put a check on the list; it raises where the answer is no."""

    def put(check: Callable[[Bench], None]) -> Callable[[Bench], None]:
        QUESTIONS.append((text, check))
        return check

    return put


class Bench:
    """A script with footage, a PlateKey and a Write."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="platekey smoke ").replace("\\", "/")
        nuke.scriptSaveAs(self.folder + "/smoke.nk")
        root = nuke.root()
        root["first_frame"].setValue(FIRST)
        root["last_frame"].setValue(LAST)
        self.source = nuke.nodes.Constant()
        self.source["color"].setValue(LEVEL)
        self.make_footage()
        self.plate = nuke.nodes.Read()
        self.plate["file"].setValue(self.folder + "/plate.%04d.exr")
        for knob, frame in (("first", FIRST), ("last", LAST), ("origfirst", FIRST), ("origlast", LAST)):
            self.plate[knob].setValue(frame)
        self.plate["raw"].setValue(True)

    def make_footage(self) -> None:
        """Three grey frames."""
        writer = self.writer(self.source, "plate")
        nuke.execute(writer, FIRST, LAST, 1)
        nuke.delete(writer)

    def writer(self, source: nuke.Node, name: str) -> nuke.Node:
        """A Write that renders numbers as they are."""
        node = nuke.nodes.Write()
        node.setInput(0, source)
        for knob, value in (("file_type", "exr"), ("datatype", "32 bit float"), ("channels", "rgba"), ("raw", True)):
            node[knob].setValue(value)
        node["file"].setValue(f"{self.folder}/{name}.%04d.exr")
        return node

    def add_node(self) -> None:
        """A PlateKey on the footage; flat grey has nothing to register by."""
        from platekey.nuke import build, node

        for other in nuke.allNodes():
            other.setSelected(other is self.plate)
        self.key = node.KeyNode(build.create())
        self.key.group["clean_frame"].setValue(FIRST)
        for knob in ("registration", "photometric"):
            self.key.group[knob].setValue("off")

    def exists(self, name: str, frame: int) -> bool:
        """Whether a file was rendered."""
        return os.path.exists(f"{self.folder}/{name}.{frame}.exr")

    def refused(self, writer: nuke.Node, first: int, last: int) -> str:
        """What Nuke says where it does not render."""
        try:
            nuke.execute(writer, first, last, 1)
        except RuntimeError as error:
            return str(error)
        raise AssertionError("it was rendered")


@question("the plugin is on Nuke's path, and its guard is registered")
def _(bench: Bench) -> None:
    bench.add_node()
    from platekey.nuke import guard

    registered = [call[0] for calls in nuke.callbacks.beforeRenders.values() for call in calls]
    assert guard.before_render in registered, "install PlateKey's init.py"


@question("all knobs keep their values when the script is saved and opened")
def _(bench: Bench) -> None:
    before = bench.key.settings()
    nuke.scriptSave(bench.folder + "/smoke.nk")
    nuke.scriptOpen(bench.folder + "/smoke.nk")
    from platekey.nuke.node import all_key_nodes

    (bench.key,) = all_key_nodes()
    bench.plate = bench.key.source("Frame")
    after = bench.key.settings()
    assert before == after, [name for name in before if before[name] != after[name]]


@question("a node's state is the same when it is asked twice, and after the script was opened again")
def _(bench: Bench) -> None:
    from platekey.nuke.state import NodeState

    first, second = NodeState(bench.key).folder, NodeState(bench.key).folder
    assert first == second, "a knob changes by itself"
    nuke.scriptSave(bench.folder + "/smoke.nk")
    nuke.scriptOpen(bench.folder + "/smoke.nk")
    from platekey.nuke.node import all_key_nodes

    (bench.key,) = all_key_nodes()
    bench.plate = bench.key.source("Frame")
    assert NodeState(bench.key).folder == first, "a saved script does not hold all knobs"


@question("the cache folder lies beside the script")
def _(bench: Bench) -> None:
    folder = bench.key.results_folder("x")
    assert folder.startswith(bench.folder + "/platekey/"), folder


@question("a disabled Write inside the Group writes nothing")
def _(bench: Bench) -> None:
    node = bench.key.inner("ExportFrame")
    node["file"].setValue(bench.folder + "/rest.%04d.exr")
    nuke.execute(node, FIRST, FIRST, 1)
    assert not bench.exists("rest", FIRST)


@question("a Write inside the Group that was switched on in the same call writes")
def _(bench: Bench) -> None:
    node = bench.key.inner("ExportFrame")
    node["disable"].setValue(False)
    nuke.execute(node, FIRST, FIRST, 1, [nuke.views()[0]])
    node["disable"].setValue(True)
    node["file"].setValue("")
    assert bench.exists("rest", FIRST)


@question("nuke.frame() in beforeFrameRender is the frame that is rendered")
def _(bench: Bench) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(int(nuke.frame()))

    nuke.addBeforeFrameRender(look, nodeClass="Write")
    writer = bench.writer(bench.plate, "frames")
    nuke.execute(writer, FIRST, LAST, 1)
    nuke.removeBeforeFrameRender(look, nodeClass="Write")
    nuke.delete(writer)
    assert seen == list(range(FIRST, LAST + 1)), seen


@question("a render is stopped before it begins where the node is not processed")
def _(bench: Bench) -> None:
    bench.out = bench.writer(bench.key.group, "out")
    words = bench.refused(bench.out, FIRST, LAST)
    assert "PlateKey" in words, words
    assert not bench.exists("out", FIRST)


@question("footage that is read directly is processed")
def _(bench: Bench) -> None:
    _process(bench, [FIRST, FIRST + 1])


@question("a render is stopped at the frame that lacks, and the sentence names it")
def _(bench: Bench) -> None:
    words = bench.refused(bench.out, FIRST, LAST)
    assert str(LAST) in words, words
    assert bench.exists("out", FIRST)
    assert not bench.exists("out", LAST)


@question("the Read itself refuses a frame that lacks, before, inside and after the range")
def _(bench: Bench) -> None:
    writer = bench.writer(bench.key.group, "bare")
    from platekey.nuke import guard

    nuke.removeBeforeRender(guard.before_render, nodeClass="Write")
    nuke.removeBeforeFrameRender(guard.before_frame, nodeClass="Write")
    try:
        for frame in (1, LAST, LAST + 100):
            bench.refused(writer, frame, frame)
    finally:
        guard.install()


@question("exported frames are processed")
def _(bench: Bench) -> None:
    bench.key.group["direct"].setValue(False)
    _process(bench, range(FIRST, LAST + 1))


@question("every frame renders once it is processed")
def _(bench: Bench) -> None:
    nuke.execute(bench.out, FIRST, LAST, 1)
    assert bench.exists("out", LAST)


@question("the layers have the channels that the node shows")
def _(bench: Bench) -> None:
    from platekey.core.knobs import LAYERS
    from platekey.nuke import anatomy

    there = set(bench.key.group.channels())
    lacking = [name for layer in LAYERS for name in anatomy.channels(layer) if name not in there]
    assert not lacking, lacking


@question("the node is as long as its footage")
def _(bench: Bench) -> None:
    length = bench.key.group.firstFrame(), bench.key.group.lastFrame()
    assert length == (FIRST, LAST), length


@question("a knob that turns back finds the results of before")
def _(bench: Bench) -> None:
    bench.key.group["edge_shift"].setValue(2)
    assert "PlateKey" in bench.refused(bench.out, FIRST, FIRST)
    bench.key.group["edge_shift"].setValue(0)
    nuke.execute(bench.out, FIRST, FIRST, 1)


@question("Nuke hands the whole command line to the driver")
def _(bench: Bench) -> None:
    assert any(str(word).endswith("nuke_smoke.py") for word in nuke.rawArgs), nuke.rawArgs


def _process(bench: Bench, frames) -> None:
    from platekey.nuke.monitor import Lines
    from platekey.nuke.process import process

    outcome = process(bench.key, frames, Lines(bench.key.name))
    outcome.summary.require_complete()


def passes(bench: Bench, text: str, check: Callable[[Bench], None]) -> bool:
    """Ask one question, and print the answer."""
    try:
        check(bench)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is an answer
        nuke.tprint(f"[smoke] FAIL {text}: {error or type(error).__name__}")
        nuke.tprint(traceback.format_exc())
        return False
    nuke.tprint(f"[smoke] OK   {text}")
    return True


def main() -> int:
    """Ask every question; the number of failures."""
    nuke.tprint(f"[smoke] Nuke {nuke.NUKE_VERSION_STRING} on {sys.platform}, Python {sys.version.split()[0]}")
    bench = Bench()
    failures = [passes(bench, text, check) for text, check in QUESTIONS].count(False)
    nuke.tprint(f"[smoke] {failures} of {len(QUESTIONS)} failed; files are in {bench.folder}")
    return failures


if __name__ == "__main__":
    sys.exit(main())
