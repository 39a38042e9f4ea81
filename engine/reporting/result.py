"""One delivered EXR file, read back: the layers that it has, and what its header says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import EngineError
from engine.pipeline.decode.image_file import open_image
from engine.settings import Source
from engine.values import Array


@dataclass(frozen=True)
class Result:
    """A delivered frame. Linear, as stored; what the file lacks is None.

    Attributes:
        premultiplied: ``(H, W, 3)`` P.
        alpha: ``(H, W)``.
        shadow: ``(H, W, 3)`` ratio; 1 where no layer tells one.
        residual, plate: ``(H, W, 3)``.
        uncertainty, validity: ``(H, W)`` 0..1.
        header: PlateKey's own entries, without their prefix.
    """

    premultiplied: Array
    alpha: Array
    shadow: Array
    residual: Array | None
    plate: Array | None
    uncertainty: Array | None
    validity: Array | None
    header: dict[str, str]

    @property
    def frame(self) -> Array | None:
        """``(H, W, 3)``: the frame that the layers recombine to; None where the file has no plate or no residual."""
        if self.plate is None or self.residual is None:
            return None
        behind = (1 - self.alpha[..., None]) * self.shadow * self.plate
        return np.asarray(self.premultiplied + behind + self.residual, np.float32)


_PREFIX = "platekey/"


def read_result(source: Source) -> Result:
    """Read a file.

    Raises:
        EngineError: as `engine.pipeline.decode` does; ``CHANNELS_MISSING`` for a file without R, G, B and A.
    """
    with open_image(source) as file:
        part = file.choose_part()
        names = part.channels
        pixels = np.nan_to_num(file.read(part, range(len(names))))
        entries = {item.name: str(item.value) for item in part.spec.extra_attribs}
    planes = {name: np.ascontiguousarray(pixels[..., index]) for index, name in enumerate(names)}
    if not planes.keys() >= set("RGBA"):
        raise EngineError(
            "CHANNELS_MISSING",
            f"'{source.name}' is no result of PlateKey: its channels are {', '.join(names)}.",
            "Name the layered EXR files that 'platekey matte' wrote.",
            channels=", ".join(names),
        )
    return Result(
        premultiplied=_layer(planes, "RGB"),
        alpha=np.clip(planes["A"], 0, 1),
        shadow=_shadow(planes),
        residual=_optional(planes, "residual"),
        plate=_optional(planes, "cleanplate"),
        uncertainty=planes.get("uncertainty.Y"),
        validity=planes.get("validity.Y"),
        header={name[len(_PREFIX) :]: value for name, value in entries.items() if name.startswith(_PREFIX)},
    )


def _layer(planes: dict[str, Array], names: str, prefix: str = "") -> Array:
    return np.stack([planes[prefix + name] for name in names], 2)


def _optional(planes: dict[str, Array], layer: str) -> Array | None:
    return _layer(planes, "RGB", f"{layer}.") if f"{layer}.R" in planes else None


def _shadow(planes: dict[str, Array]) -> Array:
    """The ratio itself, else what the layer that merges says of it."""
    if "shadow_ratio.R" in planes:
        return _layer(planes, "RGB", "shadow_ratio.")
    grey = 1 - planes["shadow.A"] if "shadow.A" in planes else np.ones_like(planes["A"])
    return np.repeat(grey[..., None], 3, 2)
