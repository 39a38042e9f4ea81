"""The clean plate as a manifest: which image stands behind which frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import EngineError
from engine.service.library import FileRef
from engine.settings import PlateUse, Source, plate_set


@dataclass(frozen=True)
class PlateManifest:
    """Images by frame number, and the way a frame of the shot finds its own.

    Attributes:
        images: frame number -> image.
        hold: number of the one image behind every frame; None where the plate moves with the shot.
        offset: added to a frame's number to find its image; without meaning where ``hold`` is set.
        use: how all images stand behind every frame together; None where each frame has its own.
    """

    images: Mapping[int, FileRef]
    hold: int | None = None
    offset: int = 0
    use: PlateUse | None = None

    def load(self, frame: int, load: Callable[[FileRef], Source]) -> Source:
        """Read what stands behind a frame: an image, or all of them as one set.

        Raises:
            EngineError: BAD_REQUEST, the manifest holds no such image; or what ``load`` raises.
        """
        if self.use is None:
            return load(self._behind(frame))
        return plate_set(self.use, tuple(load(image) for _, image in sorted(self.images.items())))

    def _behind(self, frame: int) -> FileRef:
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
