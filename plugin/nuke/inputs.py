"""What a run takes from the script: files of the footage where that is enough, else files of an exchange folder."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ..core.frames import frame_file
from ..core.knobs import sent
from ..core.matte_run import Export
from . import anatomy
from .checks import frame_source, view_of
from .colour import colour_of
from .direct import Footage, footage
from .exchange import Exchange
from .node import KeyNode

_ENGINE_KNOBS = ("device", "engine", "token_file", "tls_ca")


class Inputs:
    """Inputs of one run, as options for the side-car. A context manager: the files it makes go at its end.

    Args:
        key: the node, checked.
        frames: numbers to key, at least one.

    Raises:
        LinkError: the colour of the script cannot be named.
    """

    def __init__(self, key: KeyNode, frames: List[int]) -> None:
        self._key = key
        self._colour = colour_of(key)
        source = frame_source(key)
        self._first, self._last = source.firstFrame(), source.lastFrame()
        self._plate_frame = key.plate_frame()
        self._own_plate = key.source("CleanPlate") is not None
        around = [min(frames), max(frames)]
        held = [] if self._plate_frame is None else [self._plate_frame]
        self._clip = self._footage("Frame", around + ([] if self._own_plate else held))
        self._plate = self._footage("CleanPlate", held or around)
        self._mattes = [name for name in anatomy.MATTES if key.source(name) is not None]
        self._exchange = Exchange(key, self._exported(), view_of(key))

    def __enter__(self) -> Inputs:
        self._exchange.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._exchange.__exit__(*exception)

    def engine_options(self) -> Dict[str, Any]:
        """The options that say who computes."""
        stated = {name: str(self._key.value(name)).strip() for name in _ENGINE_KNOBS}
        return {name: value for name, value in stated.items() if value}

    def options(self, output: str) -> Dict[str, Any]:
        """Options of the run.

        Args:
            output: pattern of the results.
        """
        mattes = {anatomy.MATTES[name]: self._exchange.pattern(name) for name in self._mattes}
        window = {"clip_range": "{}-{}".format(self._first, self._last)} if self._key.window() else {}
        return dict(
            self.engine_options(),
            frames=self._clip.pattern if self._clip else self._exchange.pattern("Frame"),
            clean_plate=self._clean_plate(),
            output=output,
            ocio=self._colour.config,
            colorspace=self._colour.space,
            plate_colorspace=self._colour.space,
            output_colorspace=self._colour.space,
            layers=list(self._key.layers()),
            knobs=sent(self._key.settings()),
            **window,
            **mattes,
        )

    def export(self) -> Optional[Export]:
        """What makes the files of a frame; None where all of them are footage on disk."""
        return Export(self._make, self._first, self._last) if self._exported() else None

    def forget_before(self, frame: int) -> None:
        """Delete exported files that no frame from this one on needs."""
        self._exchange.forget_before(frame - self._key.window(), self._plate_frame)

    def _make(self, frame: int) -> None:
        for name in self._exported():
            held = self._plate_frame if name == "CleanPlate" else None
            self._exchange.export(name, frame if held is None else held)

    def _clean_plate(self) -> str:
        held = self._plate_frame
        if not self._own_plate:
            return str(held)
        pattern = self._plate.pattern if self._plate else self._exchange.pattern("CleanPlate")
        return pattern if held is None else frame_file(pattern, held)

    def _exported(self) -> List[str]:
        """The inputs that have to be exported."""
        frame = [] if self._clip else ["Frame"]
        plate = ["CleanPlate"] if self._own_plate and self._plate is None else []
        return frame + plate + self._mattes

    def _footage(self, name: str, frames: List[int]) -> Optional[Footage]:
        """Files behind an input, where they hold all of these frames and the artist lets them be used."""
        found = footage(self._key.source(name), self._colour) if self._key.value("direct") else None
        return found if found and all(found.first <= frame <= found.last for frame in frames) else None
