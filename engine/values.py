"""Values that pass between stages. Frozen, and each says in its type what a stage needs to know.

Arrays are numpy ``(H, W, C)`` float32, top row first. Points are ``(x, y)`` and sizes ``(height, width)``, in pixels,
with pixel centres at integers + 0.5. Windows count whole pixels, y down, with the display window's origin at the top
left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
"""float32 pixels: ``(H, W, 3)`` colours or ``(H, W)`` mattes and maps."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""``(H, W)``, true or false for a pixel."""


class Alpha(Enum):
    """What the colour of an image already holds of its alpha."""

    NONE = "none"
    PREMULTIPLIED = "premultiplied"
    STRAIGHT = "straight"


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels: ``x, y`` of its top left corner, width and height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)``."""
        return self.height, self.width


_ASPECT_TOLERANCE = 1e-3
"""Of a pixel aspect, relative; hosts write 2.0 and 1.9999 for the same format."""


@dataclass(frozen=True)
class Frame:
    """Where an image lies and what it carries beside pixels; kept from input to output.

    Attributes:
        data_window: rectangle that the pixels fill; may exceed the display window (overscan) or be smaller.
        display_window: the format, as the host shows it.
        pixel_aspect: width of a pixel over its height.
        metadata: foreign attributes (time code, camera ...) in OpenImageIO's names, written back as they came.
        states_aspect: the file says its pixel aspect; else it is taken for 1.
    """

    data_window: Window
    display_window: Window
    pixel_aspect: float = 1.0
    metadata: dict[str, object] = field(default_factory=dict)
    states_aspect: bool = True

    @property
    def format(self) -> str:
        """Size of the display window and pixel aspect, for errors."""
        return f"{self.display_window.width} x {self.display_window.height} with pixel aspect {self.pixel_aspect:g}"

    @property
    def _corner(self) -> tuple[int, int]:
        """The data window's top left corner, from the display window's."""
        return self.data_window.x - self.display_window.x, self.data_window.y - self.display_window.y

    def shares_format(self, other: Frame) -> bool:
        """Whether display windows have one size, and pixel aspects agree where both are stated."""
        larger = max(self.pixel_aspect, other.pixel_aspect)
        alike = abs(self.pixel_aspect - other.pixel_aspect) <= _ASPECT_TOLERANCE * larger
        stated = self.states_aspect and other.states_aspect
        return self.display_window.size == other.display_window.size and (alike or not stated)

    def locate(self, other: Frame) -> tuple[int, int]:
        """``(x, y)`` of another's array within this one's, the display windows' top left corners laid on each other."""
        (own_x, own_y), (x, y) = self._corner, other._corner
        return x - own_x, y - own_y

    def overlap(self, other: Frame) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Rows and columns that two data windows share, by `locate`: those of this one's array, and of the other's."""
        x, y = self.locate(other)
        rows = _overlap(y, other.data_window.height, self.data_window.height)
        columns = _overlap(x, other.data_window.width, self.data_window.width)
        return (rows[0], columns[0]), (rows[1], columns[1])


def _overlap(offset: int, length: int, room: int) -> tuple[slice, slice]:
    """Where ``length`` samples that begin at ``offset`` fall into ``room``: the slice there, and the slice of them."""
    start, stop = max(offset, 0), max(min(offset + length, room), offset, 0)
    return slice(start, stop), slice(start - offset, stop - offset)


@dataclass(frozen=True)
class Image:
    """Colour pixels with everything that must not be guessed.

    Attributes:
        rgb: ``(H, W, 3)`` float32, finite.
        space: OCIO name of the colour space of ``rgb``.
        alpha: ``(H, W)`` in 0..1, or None.
        alpha_state: whether ``rgb`` is multiplied with ``alpha``.
        frame: windows, aspect, metadata; ``frame.data_window.size == rgb.shape[:2]``.
        nonfinite: samples that were NaN or infinite in the file, and were replaced.
        name: file name, for errors.
    """

    rgb: Array
    space: str
    alpha: Array | None
    alpha_state: Alpha
    frame: Frame
    nonfinite: int
    name: str

    def unpremultiplied(self) -> Image:
        """The image with its colour divided by alpha; where alpha is 0 the colour stays as it is."""
        if self.alpha is None or self.alpha_state is not Alpha.PREMULTIPLIED:
            return self
        cover = np.where(self.alpha > 0, self.alpha, 1)[..., None]
        return replace(self, rgb=np.asarray(self.rgb / cover, np.float32), alpha_state=Alpha.STRAIGHT)


@dataclass(frozen=True)
class Plate:
    """A clean plate on a frame's pixel grid.

    Attributes:
        rgb: ``(H, W, 3)`` linear, 0 where invalid.
        valid: ``(H, W)``, true where the plate saw the pixel.
    """

    rgb: Array
    valid: Mask


@dataclass(frozen=True)
class Registration:
    """How a plate lies on a frame.

    Attributes:
        homography: ``(3, 3)`` float64, plate pixel -> frame pixel (centres at integers + 0.5), within the arrays.
        locked_off: the plate was used as it is.
        residual_median: px, median distance of agreeing features after registration.
        residual_p95: px, 95th percentile of it.
        inliers: number of agreeing features.
    """

    homography: npt.NDArray[np.float64]
    locked_off: bool
    residual_median: float
    residual_p95: float
    inliers: int


@dataclass(frozen=True)
class Photometric:
    """Exposure of a plate against a frame, linear: ``fitted = gain * field * plate + offset``.

    Attributes:
        gain: R, G, B.
        offset: R, G, B, linear units.
        confidence: 0 (a guess) .. 1 (well supported).
        noise: ``(3, 2)``: variance of ``frame - fitted`` is ``noise[c, 0] + noise[c, 1] * max(signal, 0)``.
        field: ``(3, 8)``, how light differs over the picture (`engine.pipeline.photometric.field`); empty: not at all.
    """

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    confidence: float
    noise: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    field: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Matte:
    """What the network says of a frame.

    Attributes:
        alpha: ``(H, W)`` 0..1.
        shadow: ``(H, W, 3)`` ratio, above 0 to 1; 1 = no shadow.
        uncertainty: ``(H, W)`` 0..1, expected absolute error of alpha.
        foreground: ``(H, W, 3)`` straight colour, linear output space; meaningful where alpha is above 0.
        tiles: number of tiles it was computed in.
    """

    alpha: Array
    shadow: Array
    uncertainty: Array
    foreground: Array
    tiles: int = 1


@dataclass(frozen=True)
class Solution:
    """The layers' pixels. What the equation holds is already rounded to the numbers that will be stored.

    Attributes:
        alpha: ``(H, W)`` a, 0..1.
        premultiplied: ``(H, W, 3)`` P, exactly 0 where ``alpha`` is 0.
        shadow_ratio: ``(H, W, 3)`` s, 0..1; three equal channels unless the knob says RGB.
        residual: ``(H, W, 3)`` R.
        plate: ``(H, W, 3)`` B, 0 where invalid.
        valid: ``(H, W)``.
        uncertainty: ``(H, W)`` 0..1.
        difference: ``(H, W)`` in standard deviations of the grain.
        foreground: ``(H, W, 3)`` straight colour, filled past the edge.
        garbage: ``(H, W)`` 0..1, as applied.
        half: stored as half; else float.
    """

    alpha: Array
    premultiplied: Array
    shadow_ratio: Array
    residual: Array
    plate: Array
    valid: Mask
    uncertainty: Array
    difference: Array
    foreground: Array
    garbage: Array
    half: bool


@dataclass(frozen=True)
class Layers:
    """Named channels of one EXR, in order, ready to be written.

    Attributes:
        channels: channel name (``R``, ``shadow.A``, ``validity.Y``) -> ``(H, W)`` float32.
        half: stored as half; else float.
    """

    channels: dict[str, Array]
    half: bool
