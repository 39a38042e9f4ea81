"""A comp with one PlateKey Fuse in it, in a real LuaJIT, against a stand-in for Fusion's interface.

It is no Fusion. The rules that it enforces are documented ones, with their sources in ``fake_fusion_rules.lua``.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import OpenImageIO
from exr_files import read, write
from lupa import luajit21

HERE = Path(__file__).parent
FUSE = HERE.parents[1] / "plugin" / "fusion" / "PlateKey.fuse"
LAYERS = ("rules", "images", "exrio", "tool", "script")

JUNK = -12345.5
"""What pixels hold that nobody has written."""


class RuleBroken(AssertionError):
    """The Fuse did what Fusion does not allow."""


@dataclass
class Rendered:
    """What came of one frame.

    Attributes:
        pixels: ``(H, W, 4)`` float32, top row first; None where the tool failed.
        canvas_alpha: alpha beyond the picture's edge.
        console: lines that were printed.
        status: text of the node's status.
        progress: shares that the progress bar showed.
    """

    pixels: np.ndarray | None
    canvas_alpha: float
    console: list[str]
    status: str
    progress: list[float]


@dataclass
class Picture:
    """An image as a tool upstream gives it out: ``(H, W, 4)`` pixels, or ``(H, W)`` of a mask; top row first."""

    pixels: np.ndarray
    aspect: float = 1.0
    proxy: int = 1
    window: tuple[int, int, int, int] | None = None


Footage = Mapping[float, Picture | np.ndarray] | Callable[[float], "Picture | np.ndarray | None"]


class Host:
    """What the Lua side asks of Python: upstream pictures, EXR files, the Console.

    Attributes:
        footage: what is connected, by input.
        asked: inputs and times that were fetched.
        written: names of the files that EXRIO wrote.
        given_up: whether Fusion no longer wants the frame.
        first, last, comp_file: the comp's render range, and its file; no file in Resolve.
        saved: inputs and frames that a script's Saver rendered.
        changed: controls that a script changed and that Fusion renders again for.
        answers: what a script said in the node, one after the other.
        said: hears of each.
    """

    def __init__(self) -> None:
        self.footage: dict[str, Footage] = {}
        self.console: list[str] = []
        self.shares: list[float] = []
        self.asked: list[tuple[str, float]] = []
        self.written: list[str] = []
        self.given_up = lambda: False
        self.first, self.last, self.comp_file = 0, 0, ""
        self.saved: list[tuple[str, int]] = []
        self.changed: list[str] = []
        self.answers: list[str] = []
        self.said = lambda words: None

    def upstream(self, name: str, time: float) -> Picture | None:
        source = self.footage.get(name)
        if source is None:
            return None
        found = source(time) if callable(source) else source.get(time)
        return Picture(found) if isinstance(found, np.ndarray) else found

    def describe(self, name: str, time: float) -> object:
        self.asked.append((name, time))
        picture = self.upstream(name, time)
        if picture is None:
            return None
        height, width = picture.pixels.shape[:2]
        return self.table(
            width=width,
            height=height,
            depth=8 if picture.pixels.ndim == 3 else 4,
            x_scale=picture.aspect,
            y_scale=1.0,
            proxy=picture.proxy,
            window=self.table(*picture.window) if picture.window else None,
        )

    def pour(self, name: str, time: float, address: int) -> None:
        picture = self.upstream(name, time)
        pixels = memory(address, *picture.pixels.shape[:2])
        if picture.pixels.ndim == 3:
            pixels[:] = picture.pixels[::-1]
        else:
            pixels[..., 3] = picture.pixels[::-1]

    def connected(self, name: str) -> bool:
        return name in self.footage

    def status(self) -> str:
        return "Aborted" if self.given_up() else "OK"

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def print(self, line: str) -> None:
        self.console.append(line)

    def script(self, name: str) -> str | None:
        path = FUSE.with_name(name.removeprefix("Scripts:Comp/"))
        return path.read_text(encoding="utf-8") if path.exists() else None

    def scripted(self, name: str, value: float | str, passive: bool) -> None:
        if not passive:
            self.changed.append(name)
        if name == "Answer":
            self.answers.append(str(value))
            self.said(str(value))

    def save(self, name: str, frame: float, clip: str, bypassed: bool) -> bool:
        """What a Saver makes of an input's picture: a file, named as Fusion names it, unless it is bypassed."""
        picture = self.upstream(name, float(frame))
        if picture is None:
            return False
        self.saved.append((name, int(frame)))
        begin, digits, ending = re.fullmatch(r"(.*?)(\d+)(\.\w+)", clip).groups()
        if not bypassed:
            pixels = picture.pixels if picture.pixels.ndim == 3 else picture.pixels[..., None]
            path = Path(f"{begin}{int(frame):0{len(digits)}d}{ending}")
            write(path, np.ascontiguousarray(pixels), depth="float", channels="RGBA" if pixels.shape[2] == 4 else "A")
        return True

    def exr_fault(self, path: str) -> str | None:
        return None if OpenImageIO.ImageInput.open(path) else OpenImageIO.geterror()

    def read_channel(self, path: str, name: str, address: int, channel: int, width: int, height: int) -> str | None:
        spec, pixels = read(Path(path))
        if name not in spec.channelnames:
            return f"no channel {name}"
        if (spec.width, spec.height, spec.x, spec.y) != (width, height, 0, 0):
            return "another size"
        memory(address, height, width)[..., channel] = pixels[::-1, :, spec.channelnames.index(name)]
        return None

    def write_exr(
        self, path: str, r: object, g: object, b: object, a: object, address: int, width: int, height: int, *how: object
    ) -> str | None:
        aspect, fault = how
        names = {name: index for index, name in enumerate((r, g, b, a)) if name}
        pixels = memory(address, height, width)[::-1][..., list(names.values())]
        if fault == "flipped":
            pixels = pixels[::-1]
        elif fault == "fails":
            return "disk full"
        self.written.append(Path(path).name)
        depth, aspects = "half" if fault == "half" else "float", {"PixelAspectRatio": float(aspect)}
        write(Path(path), np.ascontiguousarray(pixels), depth=depth, channels=names, attributes=aspects)
        return None


def memory(address: int, height: int, width: int) -> np.ndarray:
    """``(H, W, 4)`` of the Lua side's pixels, bottom row first."""
    values = (ctypes.c_float * (height * width * 4)).from_address(int(address))
    return np.frombuffer(values, np.float32).reshape(height, width, 4)


@dataclass
class Comp:
    """A comp with the Fuse in it.

    Args:
        fuse: the Fuse's text.
        variant: how this Fusion differs: ``exrio`` and ``writes`` (see ``fake_fusion_exrio.lua``), ``without_ffi``, and
            ``keeps_files``, which lets nothing be removed.
    """

    fuse: str = field(default_factory=lambda: FUSE.read_text(encoding="utf-8"))
    variant: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lua = luajit21.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
        self.host = Host()
        self.host.table = self.lua.table
        variant = {"exrio": "index", "writes": True, "without_ffi": False, "keeps_files": False, **self.variant}
        fake = self.lua.table(host=self.host, variant=self.lua.table_from(variant))
        loader = self.lua.eval("function(text, name) return assert(loadstring(text, '@' .. name)) end")
        for layer in LAYERS:
            path = HERE / f"fake_fusion_{layer}.lua"
            self._fusion = loader(path.read_text(encoding="utf-8"), path.name)(fake)
        self._fusion.load(self.fuse)
        self._check()

    def connect(self, name: str, footage: Footage) -> Comp:
        """Connect an input; a dict by time, or a function of it."""
        self.host.footage[name] = footage
        return self

    def set(self, **values: float | str) -> Comp:
        """Set controls by their ids."""
        for name, value in values.items():
            self._fusion.set(name, value)
        return self

    def get(self, name: str) -> float | str:
        return self._fusion.get(name)

    def controls(self) -> dict[str, tuple[str, dict]]:
        """Label and attributes of every input, in the order they were added."""
        found = ((name, self._fusion.describe(name)) for name in self._fusion.ids().split())
        return {name: (label, dict(attributes.items())) for name, (label, attributes) in found}

    def registration(self) -> tuple[str, dict]:
        name, attributes = self._fusion.registration()
        return name, dict(attributes.items())

    def press(self, name: str, time: float = 0.0) -> None:
        """Press a button at a frame of the timeline."""
        if "BTNCS_Execute" in self.controls()[name][1]:
            self._fusion.click(name)
        else:
            self._fusion.notify(name, time)
        self._check()

    def run_script(self, name: str) -> None:
        """Run a script from Fusion's menu."""
        self._fusion.run_script(f"Scripts:Comp/{name}")
        self._check()

    def range(self, first: int, last: int, comp_file: str = "") -> Comp:
        """The comp's render range, and its file."""
        self.host.first, self.host.last, self.host.comp_file = first, last, comp_file
        return self

    def render(self, time: float) -> Rendered:
        """Have one frame processed."""
        self.host.console.clear()
        self.host.shares.clear()
        pixels, canvas = self._process(time, False)
        if pixels is not None and (pixels == JUNK).any():
            raise RuleBroken("The output holds pixels that nobody has written.")
        status = self.get("Status") if "Status" in self.controls() else ""
        return Rendered(pixels, canvas, list(self.host.console), status, list(self.host.shares))

    def measure(self, time: float) -> tuple[int, int] | None:
        """Have one frame pre-calculated: its width and height, None where the tool fails."""
        found = self._fusion.process(time, True)
        self._check()
        if found is None:
            return None
        if found[2]:
            raise RuleBroken("A precalc request was answered with pixels.")
        return int(found[0]), int(found[1])

    def breaches(self) -> str:
        """Rules that were broken so far, a line each; forgotten by that."""
        told = self._fusion.breaches()
        self._fusion.forget_breaches()
        return told

    def _process(self, time: float, precalc: bool) -> tuple[np.ndarray | None, float]:
        found = self._fusion.process(time, precalc)
        self._check()
        if found is None:
            return None, 0.0
        width, height, address, canvas, _image = found
        return memory(address, int(height), int(width))[::-1].copy(), canvas

    def _check(self) -> None:
        if told := self.breaches():
            raise RuleBroken(told)
