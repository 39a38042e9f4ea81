"""The fake's pictures: real pixels from real EXR files through the few nodes that tests need."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

import numpy as np
from exr_files import read, write
from OpenImageIO import ImageInput

COLOURS = ("red", "green", "blue", "alpha")
_OF_FILE = {"R": "red", "G": "green", "B": "blue", "A": "alpha"}
"""How Nuke names the channels of an EXR, by the ExrChannelNameToNuke of its published reader; others keep theirs."""


@dataclass
class Picture:
    """Channels by Nuke's names, ``red`` or ``shadow.red``, each ``(H, W)`` float32.

    Attributes:
        size: width and height of the format.
        planes: by channel; one that is absent is black.
    """

    size: tuple[int, int]
    planes: dict[str, np.ndarray] = field(default_factory=dict)

    def plane(self, name):
        """A channel, black where the picture does not have it."""
        name = name.removeprefix("rgba.")
        return self.planes.get(name, np.zeros((self.size[1], self.size[0]), np.float32))

    def with_planes(self, planes):
        return replace(self, planes={**self.planes, **planes})


def render(session, node, frame, view):
    """The picture of a node; black where there is none.

    Raises:
        RuntimeError: what makes Nuke give up, such as a file that is missing.
    """
    if node is None:
        return Picture(session.format())
    if node.disabled() and node.Class() != "Write":
        return render(session, node.input(0), frame, view)
    make = _MAKERS.get(node.Class())
    if make is None:
        raise RuntimeError(f"the fake does not draw {node.Class()}")
    return make(session, node, frame, view)


def size_of_file(node, frames):
    """Width and height of a Read's first file that is there; None where there is none."""
    folder = os.path.dirname(node["file"].evaluate(frames[0]))
    for frame in range(frames[0], min(frames[1], frames[0] + 99) + 1) if os.path.isdir(folder) else ():
        if os.path.exists(path := node["file"].evaluate(frame)):
            spec = ImageInput.open(path).spec()
            return spec.full_width, spec.full_height
    return None


def write_picture(picture, path, channels, depth):
    """Write the channels that a Write node names, ``rgba``, ``rgb`` or ``alpha``, as an EXR."""
    names = {"rgba": COLOURS, "rgb": COLOURS[:3], "alpha": COLOURS[3:], "all": tuple(picture.planes)}[channels]
    of_file = {nuke: exr for exr, nuke in _OF_FILE.items()}
    pixels = np.stack([picture.plane(name) for name in names], -1).astype(np.float32)
    described = [of_file.get(name, name) for name in names]
    write(path, pixels, depth="float" if depth == "32 bit float" else "half", channels=described)


def _first(session, node, frame, view):
    return render(session, node.input(0), frame, view)


def _read(session, node, frame, view):
    first, last = node["first"].value(), node["last"].value()
    for edge, beyond, knob in ((first, frame < first, "before"), (last, frame > last, "after")):
        if beyond and node[knob].value() == "hold":
            frame = edge
        elif beyond:
            return Picture(session.format())
    path = node["file"].evaluate(frame, view)
    if not os.path.exists(path):
        if node["on_error"].value() == "error":
            raise RuntimeError(f"{node.fullName()}: {path}: No such file or directory")
        return Picture(session.format())
    spec, pixels = read(path)
    planes = {_nuke_name(name): pixels[..., index] for index, name in enumerate(spec.channelnames)}
    if not node["raw"].value():
        planes = {name: session.file_transform(plane) for name, plane in planes.items()}
    return Picture((spec.full_width, spec.full_height), planes)


def _nuke_name(channel):
    layer, _, name = channel.rpartition(".")
    return f"{layer}.{_OF_FILE.get(name, name)}" if layer else _OF_FILE.get(name, name)


def _constant(session, node, frame, view):
    size = node["format"].size() or session.format()
    level = np.full((size[1], size[0]), node["color"].value(), np.float32)
    return Picture(size, dict.fromkeys(COLOURS, level))


def _group(session, node, frame, view):
    return render(session, node.output_node(), frame, view)


def _input(session, node, frame, view):
    return render(session, node.parent().input(node["number"].value()), frame, view)


def _switch(session, node, frame, view):
    return render(session, node.input(int(node["which"].value())), frame, view)


def _hold(session, node, frame, view):
    return render(session, node.input(0), int(node["first_frame"].value()), view)


def _offset(session, node, frame, view):
    return render(session, node.input(0), frame - int(node["time_offset"].value()), view)


def _multiply(session, node, frame, view):
    picture = _first(session, node, frame, view)
    gain = np.float32(node["value"].value())
    return picture.with_planes({name: plane * gain for name, plane in picture.planes.items()})


def _copy(session, node, frame, view):
    below, above = (render(session, node.input(index), frame, view) for index in (0, 1))
    pairs = [(node[f"from{index}"].value(), node[f"to{index}"].value()) for index in range(4)]
    chosen = {to.removeprefix("rgba."): above.plane(source) for source, to in pairs if source != "none"}
    return below.with_planes(chosen)


def _merge(session, node, frame, view):
    below, above = (render(session, node.input(index), frame, view) for index in (0, 1))
    names = COLOURS[:3] if node["output"].value() == "rgb" else COLOURS
    cover = 1 - above.plane("alpha")
    merged = {
        "over": lambda a, b: a + b * cover,
        "plus": lambda a, b: a + b,
        "multiply": lambda a, b: a * b,
    }[node["operation"].value()]
    mix = np.float32(node["mix"].value())
    planes = {}
    for name in names:
        base = below.plane(name)
        planes[name] = base + mix * (merged(above.plane(name), base) - base)
    return below.with_planes(planes)


def _reformat(session, node, frame, view):
    picture = _first(session, node, frame, view)
    width, height = node["format"].size() or picture.size
    rows, columns = (np.arange(n) * o // n for n, o in ((height, picture.size[1]), (width, picture.size[0])))
    planes = {name: plane[rows][:, columns] for name, plane in picture.planes.items()}
    return Picture((width, height), planes)


def _one_view(session, node, frame, view):
    return render(session, node.input(0), frame, node["view"].value())


_MAKERS = {
    "Read": _read,
    "Constant": _constant,
    "Group": _group,
    "Input": _input,
    "Switch": _switch,
    "FrameHold": _hold,
    "TimeOffset": _offset,
    "Multiply": _multiply,
    "Copy": _copy,
    "Merge2": _merge,
    "Reformat": _reformat,
    "OneView": _one_view,
    **dict.fromkeys(("Write", "Output", "Dot", "NoOp", "FrameRange"), _first),
}
