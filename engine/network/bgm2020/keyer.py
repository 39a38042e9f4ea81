"""The 2020 network as the pipeline calls it, with its whole inference recipe."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.bgm2020.network import BackgroundMatting2020
from engine.network.bgm2020.recipe import SIZE, Cue, largest_component, prepare, subject_by_difference
from engine.network.display import from_display, to_display
from engine.network.keyer import filled, logit_of
from engine.network.platenet import Prediction, encode, tolerant_difference
from engine.network.platenet.light import Noise

# Above this alpha the frame's own colour is the subject's; the published script's 0.95 of -1..1.
_SOLID = 0.975

# Luma of Rec.601, as OpenCV makes grey pictures.
_LUMA = (0.299, 0.587, 0.114)


class Bgm2020Keyer(nn.Module):
    """See `engine.network.keyer.Keyer`. It sees 512 px (`size`) of the subject's surroundings.

    No shadow is found. Uncertainty is the expected error of alpha if every pixel were in truth all or nothing with that
    probability: ``2 a (1 - a)``.

    Attributes:
        size: px a side of what the network sees.
    """

    stride = 1
    margin = None
    bytes_per_pixel = 400
    takes_hint = True

    def __init__(self, network: BackgroundMatting2020, largest_only: bool = False, size: int = SIZE) -> None:
        """Wrap a network.

        Args:
            network: to be asked.
            largest_only: keep nothing but the largest connected part of the matte, as the published script does.
            size: px a side of what the network sees, a multiple of 4; 512 as published. One that was trained on smaller
                crops does better with less.
        """
        super().__init__()
        self.network = network
        self.size = size
        self._largest_only = largest_only

    def at(self, height: int, width: int, noise: Noise | None = None) -> Bgm2020Keyer:
        """Itself: it looks at as many px whatever the picture."""
        return self

    def forward(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch; see `engine.network.platenet.PlateNet.forward`."""
        behind = filled(frame, plate, valid, hint)
        pictures = [
            self._picture(to_display(frame[[index]]), to_display(behind[[index]]), cue)
            for index, cue in enumerate(cues(frame, plate, valid, hint))
        ]
        alpha, colour = (torch.cat(part) for part in zip(*pictures, strict=True))
        doubt = 2 * alpha * (1 - alpha)
        return Prediction(logit_of(alpha), torch.ones_like(frame), doubt, encode(from_display(colour)))

    def _picture(self, shown: Tensor, behind: Tensor, cue: Cue) -> tuple[Tensor, Tensor]:
        """One picture ``(1, 3, H, W)``, display-referred, to alpha and straight colour at its size."""
        box = (..., cue.rows, cue.columns)
        whole = torch.from_numpy(cue.soft)[None, None].to(shown)
        soft = functional.interpolate(whole, size=shown.shape[-2:], mode="bilinear", align_corners=False)
        seen = [_resize(part[box], (self.size, self.size)) * 2 - 1 for part in (shown, behind, soft)]
        grey = (seen[0] * seen[0].new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        found = [part.float() * 0.5 + 0.5 for part in self.network(*seen, torch.cat([grey] * 4, 1))]
        size = shown[box].shape[-2:]
        alpha, colour = torch.zeros_like(shown[:, :1]), shown.clone()
        alpha[box] = _resize(found[0], size).clamp(0, 1)
        colour[box] = _resize(found[1], size).clamp(0, 1)
        if self._largest_only:
            alpha = torch.from_numpy(largest_component(alpha[0, 0].cpu().numpy()))[None, None].to(alpha)
        return alpha, torch.where(alpha > _SOLID, shown, colour)


def cues(frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> list[Cue]:
    """The segmentation cue of each picture of a batch: from its hint where one was given, else from the difference."""
    difference = tolerant_difference(encode(frame), encode(plate))
    prepared = []
    for index, (rough, trust) in enumerate(hint.cpu().numpy()):
        if trust.max() > 0:
            prepared.append(prepare(rough))
            continue
        seen = valid[index, 0].cpu().numpy() > 0
        subject = subject_by_difference(difference[index, 0].float().cpu().numpy(), seen)
        prepared.append(prepare(subject.astype("float32")))
    return prepared


def _resize(picture: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Bilinear; antialiased where it shrinks, which the published script does not, so that a 4K crop is not sampled."""
    return functional.interpolate(picture, size=tuple(size), mode="bilinear", align_corners=False, antialias=True)
