"""Losses of PlateNet. The base is judged by cells, the refiner by pixels of the tiles that need it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.network.platenet import PlateNet, encode, squash
from engine.network.platenet.base import Sketch
from engine.network.platenet.platenet import Pictures, enlarge, known_noise, seen
from engine.network.platenet.refiner import TILE, cut, doubtful_tiles, tile_pixels
from engine.network.platenet.sampling import enlarged

# Share of a batch's tiles that are refined while training; the band and the base's doubts come first.
_TILES = 0.2

# Doubt above which a tile is a candidate while training: lower than in use, so that the refiner knows what it will see.
_DOUBT = 0.01


@dataclass(frozen=True)
class Truth:
    """What a sample knows: ``alpha (N, 1, H, W)``, ``shadow`` and premultiplied ``foreground (N, 3, H, W)``.

    ``pairs`` says that items 2k and 2k + 1 are consecutive frames of one shot, and ``trust (N, 1, H, W)`` 0..1 how far
    a pixel is judged by it.
    """

    alpha: Tensor
    shadow: Tensor
    foreground: Tensor
    trust: Tensor
    pairs: bool = False


def step_losses(network: PlateNet, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weighted terms of a batch of `engine.training.dataset.batches`; their sum is what training lowers.

    * ``base``, ``fine``: L1 of alpha, three times as much where 0 < a < 1; by cells, and by pixels of refined tiles.
    * ``decision``, ``fine decision``: cross entropy, whose slope does not fade where the network is sure and wrong.
    * ``detail``, ``base detail``: L1 of the Laplacian pyramid.
    * ``shadow``: L1 of the ratio where the background shows, four times as much where there is a shadow.
    * ``foreground``: L1 of the log-encoded straight colour, weighted by alpha.
    * ``doubt``, ``uncertainty``: cross entropy to the largest error within the cell, and to the pixel's own.
    * ``flicker``: error of the change of alpha between consecutive frames, squared, by cells.

    A batch may say in ``trust (N, 1, H, W)``, 0..1, how far each pixel's truth counts; without it all of it does.
    """
    cell = int(batch["cell"])
    trust = batch.get("trust", torch.ones_like(batch["alpha"]))
    truth = Truth(batch["alpha"], batch["shadow"], batch["foreground"], trust, bool(batch["pairs"]))
    frame, plate, valid, hint = (batch[name] for name in ("frame", "plate", "valid", "hint"))
    noise = known_noise(batch.get("noise"), frame)
    sketch = network.base(seen(frame, plate, valid, hint, cell, noise))
    off = (squash(enlarged(sketch.logit.detach(), cell)) - truth.alpha).abs()
    worst = functional.max_pool2d(off * trust, cell)
    tiles = _training_tiles(sketch, truth.alpha, cell)
    coarse = enlarge(sketch, cell)
    fine = network.refine(tiles, Pictures(frame, plate, valid, noise), coarse, sketch.hidden, cell)
    refined, judged = (cut(planes, tile_pixels(tiles, planes, 0)) for planes in (truth.alpha, trust))
    error = _reachable(fine[:, :1]) - refined
    return _base_terms(sketch, truth, cell) | {
        "fine": (error.abs() * _band(refined) * judged).mean(),
        "fine decision": _decision(fine[:, :1], refined, judged),
        "detail": laplacian(error * judged, 3) * 0.5,
        "doubt": _cross_entropy(sketch.doubt, worst, functional.avg_pool2d(trust, cell)) * 0.1,
        "uncertainty": _cross_entropy(fine[:, 1:], error.detach().abs(), judged) * 0.1,
    }


def _base_terms(sketch: Sketch, truth: Truth, cell: int) -> dict[str, Tensor]:
    alpha = functional.avg_pool2d(truth.alpha, cell)
    ratio = functional.avg_pool2d(truth.shadow, cell)
    trust = functional.avg_pool2d(truth.trust, cell)
    error = _reachable(sketch.logit) - alpha
    shadow = (sketch.shadow - ratio).abs() * (1 + 3 * (ratio < 0.97).float())
    planes = (truth.alpha * truth.trust, truth.foreground * truth.trust)
    weight, colour = (functional.avg_pool2d(each, 2 * cell) for each in planes)
    off = (sketch.foreground - encode(colour / weight.clamp(min=0.02))).abs()
    terms = {
        "base": (error.abs() * _band(alpha) * trust).mean(),
        "decision": _decision(sketch.logit, alpha, trust),
        "base detail": laplacian(error * trust, 5) * 0.25,
        "shadow": (shadow * (1 - alpha) * trust).mean() * 1.0,
        "foreground": (off * weight * (weight > 0.05)).mean() * 0.5,
    }
    if truth.pairs:
        terms["flicker"] = (error[0::2] - error[1::2]).square().mean() * 2.0
    return terms


def _reachable(logit: Tensor) -> Tensor:
    """`squash`, with a slope beyond its ends too: a pixel that is wrongly 0 or 1 must be able to come back."""
    stretched = torch.sigmoid(logit) * 1.1 - 0.05
    return stretched + (stretched.clamp(0, 1) - stretched).detach()


def _decision(logit: Tensor, alpha: Tensor, trust: Tensor) -> Tensor:
    """Cross entropy to the logit that `squash` turns into alpha; at 0 and 1 it pulls beyond the ends."""
    target = torch.where((alpha > 0) & (alpha < 1), (alpha + 0.05) / 1.1, alpha)
    return _cross_entropy(logit, target.clamp(0, 1), trust) * 0.15


def _cross_entropy(logit: Tensor, target: Tensor, trust: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logit, target, weight=trust)


def _band(alpha: Tensor) -> Tensor:
    """Weight 3 where 0 < a < 1, else 1."""
    return 1 + 2 * ((alpha > 0.01) & (alpha < 0.99)).float()


def _training_tiles(sketch: Sketch, alpha: Tensor, cell: int) -> Tensor:
    """A random share of all tiles, those of the band and of the base's doubts first; ``(K, 3)``, sorted."""
    soft = ((alpha > 0.01) & (alpha < 0.99)).float()
    wanted = torch.maximum(functional.max_pool2d(soft, cell), torch.sigmoid(sketch.doubt.detach()))
    every = doubtful_tiles(wanted, TILE // cell, -1.0)
    first = functional.max_pool2d(wanted, TILE // cell)[:, 0].flatten() > _DOUBT
    order = torch.argsort(torch.rand(len(every)) - first.float())
    return every[order[: max(8, int(len(every) * _TILES))].sort().values]


def laplacian(difference: Tensor, levels: int) -> Tensor:
    """L1 of the Laplacian pyramid of a difference, level k weighted 2**k (Hou and Liu, ICCV 2019)."""
    total = difference.new_zeros(())
    for level in range(levels):
        small = functional.avg_pool2d(difference, 2)
        up = functional.interpolate(small, size=difference.shape[-2:], mode="bilinear", align_corners=False)
        total = total + (difference - up).abs().mean() * 2**level
        difference = small
    return total
