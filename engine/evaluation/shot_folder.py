"""Shots with their truth, on disk: ``frame.####.exr``, ``plate.exr``, ``gt.####.exr`` and ``shadow.####.exr``.

The truth is RGBA: premultiplied foreground and alpha. ``shadow`` is the ratio s of ``I = P + (1 - a) s B``; it may be
left out. A ``shot.json`` may name the shot's ``group`` and its colours' ``space``, and say whether it is ``clean``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.evaluation.shot import Shot, exr
from engine.pipeline.decode import decode
from engine.settings import Source
from engine.values import Array, Image

SPACE = "lin_rec709"
"""Colour space of a shot that does not name one."""

PLATE, FACTS = "plate.exr", "shot.json"

_NUMBERED = re.compile(r"(frame|gt|shadow)\.(-?\d+)\.exr")


@dataclass(frozen=True)
class ShotFolder:
    """A shot on disk: its folder, its name for reports, and its ``shot.json``."""

    path: Path
    name: str
    facts: Mapping[str, object]

    @property
    def group(self) -> str:
        """``group`` of shot.json, or the parent folder's name."""
        return str(self.facts.get("group") or self.path.parent.name)

    @property
    def space(self) -> str:
        """``space`` of shot.json, or `SPACE`."""
        return str(self.facts.get("space") or SPACE)

    @property
    def clean(self) -> bool:
        """``clean`` of shot.json."""
        return self.facts.get("clean") is True


def find_shots(folder: Path) -> list[ShotFolder]:
    """All shots below a folder, or the folder itself, by name.

    Raises:
        EngineError: FILE_MISSING where there is none, BAD_REQUEST for a ``shot.json`` that cannot be read.
    """
    if not folder.is_dir():
        raise EngineError("FILE_MISSING", f"There is no folder {folder}.", "Give the folder that holds the shots.")
    root = folder.resolve()
    paths = sorted({path.parent for path in root.rglob("*.exr") if path.name == PLATE or _NUMBERED.match(path.name)})
    if not paths:
        step = f"Put frame.####.exr, {PLATE} and gt.####.exr into it, or into a folder for each shot."
        raise EngineError("FILE_MISSING", f"{folder} holds no shot.", step)
    names = (root.name if path == root else path.relative_to(root).as_posix() for path in paths)
    return [ShotFolder(path, name, _facts(path)) for path, name in zip(paths, names, strict=True)]


def read_shot(folder: ShotFolder) -> Shot:
    """Read a shot into memory.

    Raises:
        EngineError: FILE_MISSING, CHANNELS_MISSING, SIZE_MISMATCH, VALUE_OUT_OF_RANGE, or whatever `decode` finds;
            each names the file.
    """
    files = _files(folder.path)
    numbers = tuple(sorted(files["frame"]))
    read = {kind: [_read(paths[number], folder.space) for number in numbers] for kind, paths in files.items() if paths}
    plate = _read(folder.path / PLATE, folder.space)
    _check_sizes(folder, [*(image for images in read.values() for image in images), plate])
    return Shot(
        name=folder.name,
        group=folder.group,
        space=folder.space,
        numbers=numbers,
        frames=[image.rgb for image in read["frame"]],
        plate=plate.rgb,
        alphas=[_alpha(folder, image) for image in read["gt"]],
        foregrounds=[image.rgb for image in read["gt"]],
        shadows=[image.rgb for image in read["shadow"]] if "shadow" in read else None,
        clean=folder.clean,
    )


def write_shot(folder: Path, shot: Shot, facts: Mapping[str, object]) -> None:
    """Write a shot: frames and plate as half, the truth as float; last ``shot.json``: group, space, clean and facts.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PLATE, exr(shot.plate, half=True))
    for index, number in enumerate(shot.numbers):
        write_whole(folder / f"frame.{number:04d}.exr", exr(shot.frames[index], half=True))
        truth = np.dstack([shot.foregrounds[index], shot.alphas[index]])
        write_whole(folder / f"gt.{number:04d}.exr", exr(truth))
        if shot.shadows is not None:
            write_whole(folder / f"shadow.{number:04d}.exr", exr(shot.shadows[index]))
    stated = {"group": shot.group, "space": shot.space, "clean": shot.clean, **facts}
    write_whole(folder / FACTS, json.dumps(stated, indent=2).encode() + b"\n")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside its own and rename it, so that half a file is never found.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _facts(path: Path) -> Mapping[str, object]:
    file = path / FACTS
    if not file.exists():
        return {}
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError("BAD_REQUEST", f"{file} is no JSON ({error}).", "Correct it, or take it away.") from error
    if not isinstance(facts, dict):
        raise EngineError("BAD_REQUEST", f"{file} holds no JSON object.", 'Write {"group": "..."}, or take it away.')
    return facts


def _files(folder: Path) -> dict[str, dict[int, Path]]:
    """Kind -> frame number -> file; every frame has what its shot needs."""
    files: dict[str, dict[int, Path]] = {"frame": {}, "gt": {}, "shadow": {}}
    for path in folder.iterdir():
        if match := _NUMBERED.fullmatch(path.name):
            files[match[1]][int(match[2])] = path
    if not files["frame"]:
        raise EngineError("FILE_MISSING", f"{folder} holds no frame.", "Put frame.####.exr there.")
    if not (folder / PLATE).exists():
        raise EngineError("FILE_MISSING", f"{folder / PLATE} is missing.", "Put the shot's clean plate there.")
    for kind in ["gt", "shadow"] if files["shadow"] else ["gt"]:
        missing = sorted(files["frame"].keys() - files[kind].keys())
        if missing:
            name = f"{kind}.{missing[0]:04d}.exr"
            step = "Each frame needs a file of that kind with its own number; take the frame away where there is none."
            raise EngineError("FILE_MISSING", f"{folder / name} is missing.", step)
    return files


def _read(path: Path, space: str) -> Image:
    data = path.read_bytes()
    return decode(Source(f"{path.parent.name}/{path.name}", sha256(data).hexdigest(), data, space))


def _check_sizes(folder: ShotFolder, images: Sequence[Image]) -> None:
    first = images[0]
    for image in images:
        if image.rgb.shape != first.rgb.shape:
            height, width = image.rgb.shape[:2]
            message = (
                f"{image.name} is {width} x {height}, {first.name} is {first.rgb.shape[1]} x {first.rgb.shape[0]}."
            )
            raise EngineError("SIZE_MISMATCH", message, f"Bring all pictures of {folder.path} to one size.")


def _alpha(folder: ShotFolder, truth: Image) -> Array:
    if truth.alpha is None:
        step = "Write R, G, B, A: the premultiplied foreground and its alpha."
        raise EngineError("CHANNELS_MISSING", f"{truth.name} in {folder.path.parent} has no alpha.", step)
    if truth.nonfinite:
        message = f"{truth.name} in {folder.path.parent} holds {truth.nonfinite} samples that are NaN or infinite."
        raise EngineError("VALUE_OUT_OF_RANGE", message, "A truth must be a number everywhere: render it again.")
    return truth.alpha
