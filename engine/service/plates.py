"""The clean plate as a manifest: which image stands behind which frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import EngineError
from engine.service.library import FileRef


@dataclass(frozen=True)
class PlateManifest:
    """Images by frame number, and the way a frame of the shot finds its own.

    Attributes:
        images: frame number -> image.
        hold: number of the one image behind every frame; None where the plate moves with the shot.
        offset: added to a frame's number to find its image; without meaning where ``hold`` is set.
    """

    images: Mapping[int, FileRef]
    hold: int | None = None
    offset: int = 0

    def behind(self, frame: int) -> FileRef:
        """Return the plate image of a frame.

        Raises:
            EngineError: BAD_REQUEST, the manifest holds no such image.
        """
        number = frame + self.offset if self.hold is None else self.hold
        if number not in self.images:
            raise EngineError(
                "BAD_REQUEST",
                f"The clean plate has no image {number}, which frame {frame} needs.",
                "Give the plate that frame, or hold one that it has.",
                frame=frame,
                plate=number,
            )
        return self.images[number]
