"""A folder of cut-out subjects and backgrounds: ``fg/``, ``alpha/`` with the same names, ``bg/``; 8-bit sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import OpenImageIO

from engine.errors import EngineError

_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}

Bytes = npt.NDArray[np.uint8]
"""``(H, W, 3)`` sRGB or ``(H, W)`` alpha."""


@dataclass(frozen=True)
class Cutout:
    """A subject: its straight colour and its alpha, of one size."""

    colour: Path
    alpha: Path

    def read(self) -> tuple[Bytes, Bytes]:
        """Colour ``(H, W, 3)`` and alpha ``(H, W)``.

        Raises:
            EngineError: IMAGE_UNREADABLE.
        """
        return read_colour(self.colour), _read(self.alpha, cv2.IMREAD_GRAYSCALE)


@dataclass(frozen=True)
class Cutouts:
    """All subjects and backgrounds of a folder, by name."""

    subjects: tuple[Cutout, ...]
    backgrounds: tuple[Path, ...]


def find_cutouts(folder: Path) -> Cutouts:
    """Look through a folder, and hold each subject's alpha against its colour; no pixel is read.

    Raises:
        EngineError: FILE_MISSING for a folder or an alpha; SIZE_MISMATCH and IMAGE_UNREADABLE, naming the files.
    """
    colours, alphas, backgrounds = (_pictures(folder / name) for name in ("fg", "alpha", "bg"))
    for name, colour in colours.items():
        if name not in alphas:
            step = f"Put {name}.png there, of the same size, or take the subject away."
            raise EngineError("FILE_MISSING", f"{folder / 'alpha'} has no alpha for {colour}.", step)
        _check_sizes(colour, alphas[name])
    subjects = tuple(Cutout(colours[name], alphas[name]) for name in sorted(colours))
    return Cutouts(subjects, tuple(backgrounds[name] for name in sorted(backgrounds)))


def read_colour(path: Path) -> Bytes:
    """A picture, ``(H, W, 3)`` R G B.

    Raises:
        EngineError: IMAGE_UNREADABLE.
    """
    return np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their names without endings."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    pictures = {path.stem: path for path in found if path.suffix.lower() in _ENDINGS}
    if not pictures:
        step = "The folder must hold fg/, alpha/ (of the same names) and bg/ with PNG, JPEG or TIFF pictures."
        raise EngineError("FILE_MISSING", f"There are no pictures in {folder}.", step)
    return pictures


def _check_sizes(colour: Path, alpha: Path) -> None:
    sizes = [_size(path) for path in (colour, alpha)]
    if sizes[0] != sizes[1]:
        message = f"{alpha} is {sizes[1][0]} x {sizes[1][1]}, {colour} is {sizes[0][0]} x {sizes[0][1]}."
        raise EngineError("SIZE_MISMATCH", message, "Bring both to one size, or take the subject away.")


def _size(path: Path) -> tuple[int, int]:
    """Width and height, from the header."""
    file = OpenImageIO.ImageInput.open(str(path))
    if file is None:
        raise _unreadable(path, OpenImageIO.geterror())
    spec = file.spec()
    file.close()
    return spec.width, spec.height


def _read(path: Path, flags: int) -> Bytes:
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except (OSError, cv2.error) as error:
        raise _unreadable(path, str(error)) from error
    if picture is None:
        raise _unreadable(path, "it is cut short, or no picture")
    return np.asarray(picture, np.uint8)


def _unreadable(path: Path, why: str) -> EngineError:
    return EngineError("IMAGE_UNREADABLE", f"{path} cannot be read: {why.strip()}.", "Save it anew, or take it away.")
