"""The base: context at low resolution. One shared encoder looks at frame and plate, context switches join them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.blocks import ContextSwitch, ContextUnit, ConvUnit, UpUnit
from engine.network.encoder import CHANNELS, Encoder
from engine.network.platenet.light import SIGNIFICANCE, display, encode, light_ratio, tolerant_difference
from engine.network.platenet.sampling import pooled

HIDDEN = 16
"""Channels handed to the refiner."""


class View(NamedTuple):
    """What the base looks at: pictures of cells, each the mean of some pixels.

    Attributes:
        frame: ``(N, 3, h, w)`` linear, anchored.
        plate: the same; any finite colour where invalid.
        valid: ``(N, 1, h, w)`` share of pixels that the plate saw.
        hint: ``(N, 2, h, w)`` rough matte, and trust in it.
        significance: ``(N, SIGNIFICANCE, h, w)`` of the difference against the grain.
    """

    frame: Tensor
    plate: Tensor
    valid: Tensor
    hint: Tensor
    significance: Tensor


class Sketch(NamedTuple):
    """What the base makes of a view of ``(h, w)`` cells.

    Attributes:
        logit: ``(N, 1, h, w)`` of alpha.
        doubt: ``(N, 1, h, w)``, logit of the largest error of alpha, 0..1, that is expected within the cell.
        shadow: ``(N, 3, h, w)`` ratio 0.02..1.
        foreground: ``(N, 3, h / 2, w / 2)`` straight colour, log-encoded.
        hidden: ``(N, HIDDEN, h / 2, w / 2)`` features.
    """

    logit: Tensor
    doubt: Tensor
    shadow: Tensor
    foreground: Tensor
    hidden: Tensor


class Base(nn.Module):
    """Encoder, context switches and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        c4, c8, c16, c32 = CHANNELS
        self.switch32 = ContextSwitch(c32, 96, extra=2 + SIGNIFICANCE)
        self.context = nn.Sequential(ContextUnit(96), ContextUnit(96), ContextUnit(96))
        self.switch16 = ContextSwitch(c16, 48, extra=SIGNIFICANCE)
        self.switch8 = ContextSwitch(c8, 40, extra=SIGNIFICANCE)
        self.switch4 = ContextSwitch(c4, 32)
        self.pixels = ConvUnit(4 * 8 + 2 + 4 * SIGNIFICANCE, 24)
        self.up16 = UpUnit(96, 48, 80)
        self.up8 = UpUnit(80, 40, 64)
        self.up4 = UpUnit(64, 32 + 24, 48, kernel=1)
        self.join = ConvUnit(48, 32)
        self.hidden = ConvUnit(32, HIDDEN, kernel=1)
        self.heads = nn.Conv2d(32, 4 + 4 + 3 + 3, 1)

    def look(self, linear: Tensor) -> list[Tensor]:
        """Features of a picture ``(N, 3, h, w)``, linear and anchored, at strides 2, 4, 8 and 16."""
        return self.encoder(display(linear))

    def _joined(self, view: View, plate: list[Tensor]) -> list[Tensor]:
        """Features of frame and plate, switched, at strides 2, 4, 8 and 16."""
        features = zip(self.look(view.frame), plate, strict=True)
        switches = (self.switch4, self.switch8, self.switch16, self.switch32)
        sure4 = pooled(view.significance, 4)
        sure8 = pooled(sure4, 2)
        extra = ((), (sure4,), (sure8,), (pooled(view.hint, 16), pooled(sure8, 2)))
        return [switch(*pair, *more) for switch, pair, more in zip(switches, features, extra, strict=True)]

    def forward(self, view: View, plate: list[Tensor] | None = None) -> Sketch:
        """Sketch a view.

        Args:
            view: height and width must be multiples of 16.
            plate: the plate's features, of `look`, if they are known.
        """
        code, plate_code = encode(view.frame), encode(view.plate)
        departure = (code - plate_code) * view.valid
        tolerant = tolerant_difference(code, plate_code) * view.valid
        cues = torch.cat((code, departure, tolerant, view.valid), 1)
        decoded = self._decode(view, cues, self._joined(view, plate or self.look(view.plate)))
        logit, doubt, gate, foreground = self.heads(decoded).split((4, 4, 3, 3), 1)
        gate = functional.interpolate(torch.sigmoid(gate), scale_factor=2, mode="bilinear", align_corners=False)
        shadow = 1 - gate * (1 - light_ratio(view.frame, view.plate)) * view.valid
        return Sketch(
            functional.pixel_shuffle(logit, 2),
            functional.pixel_shuffle(doubt, 2),
            shadow,
            foreground,
            self.hidden(decoded),
        )

    def _decode(self, view: View, cues: Tensor, joined: list[Tensor]) -> Tensor:
        """Features ``(N, 32, h / 2, w / 2)`` from everything that the base sees."""
        x = self.up16(self.context(joined[3]), joined[2])
        x = self.up8(x, joined[1])
        cues, sure = (functional.pixel_unshuffle(planes, 2) for planes in (cues, view.significance))
        pixels = torch.cat((cues, pooled(view.hint, 2), sure), 1)
        x = self.up4(x, torch.cat((joined[0], self.pixels(pixels)), 1))
        return self.join(x)
