"""BackgroundMattingV2 as the pipeline calls it, at the settings that its authors recommend."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.bgmv2.network import BackgroundMattingV2
from engine.network.bgmv2.refiner import PATCH, Budget, Mode
from engine.network.display import from_display, to_display
from engine.network.keyer import filled, logit_of
from engine.network.platenet import Prediction, encode
from engine.network.platenet.light import Noise

# doc/model_usage.md of the published code: a backbone of 480 px (scale 0.25 for HD, 0.125 for 4K, 0.5 at most), and
# 80,000 px refined of HD's two million, 320,000 of 4K's eight.
_BACKBONE_PX = 480
_LARGEST_SCALE = 0.5
_REFINED_SHARE = 80_000 / (1920 * 1080)


def recommended(height: int, width: int) -> tuple[float, Budget]:
    """The backbone's scale and the refiner's budget for a picture."""
    scale = min(_LARGEST_SCALE, _BACKBONE_PX / max(height, width))
    return scale, Budget(pixels=max(round(_REFINED_SHARE * height * width), PATCH**2))


class Bgmv2Keyer(nn.Module):
    """See `engine.network.keyer.Keyer`. A hint is not used but to fill gaps of the plate; no shadow is found.

    Attributes:
        refined_share: of the picture, in the last call.
        whole_budget: refine as much as is recommended even where no error is expected.
    """

    stride = PATCH
    margin = None
    bytes_per_pixel = 400
    takes_hint = False

    def __init__(self, network: BackgroundMattingV2, mode: str = "sampling") -> None:
        """Wrap a network.

        Args:
            network: to be asked.
            mode: where to refine, of `Budget`.
        """
        super().__init__()
        self.network = network
        self._mode: Mode = cast(Mode, mode)
        self.refined_share = 0.0
        self.whole_budget = False

    def at(self, height: int, width: int, noise: Noise | None = None) -> Bgmv2Keyer:
        """Itself: scale and budget follow each picture."""
        return self

    def forward(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch; see `engine.network.platenet.PlateNet.forward`."""
        size = frame.shape[-2:]
        scale, budget = recommended(*size)
        behind = to_display(filled(frame, plate, valid, hint))
        budget = replace(budget, mode=self._mode, forced=self.whole_budget)
        matted = self.network(to_display(frame), behind, scale, budget)
        self.refined_share = float(matted.refined.float().mean())
        error = functional.interpolate(matted.error.float(), size=size, mode="bilinear", align_corners=False)
        colour = encode(from_display(matted.foreground))
        return Prediction(logit_of(matted.alpha), torch.ones_like(frame), error, colour)
