"""Errors on subjects and photographs that training never sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.network.platenet import PlateNet, squash
from engine.training.dataset import batches, load_photos, load_subjects

_SUBJECTS, _BATCHES, _SEED = 64, 12, 7


def predict(network: PlateNet, batch: dict[str, Tensor]) -> Any:  # noqa: ANN401 - a Prediction; the call is untyped
    """Run a network on a batch of `engine.training.dataset.batches`."""
    inputs = (batch[name].to(memory_format=torch.channels_last) for name in ("frame", "plate", "valid", "hint"))
    return network(*inputs)


@torch.no_grad()
def validate(network: PlateNet, assets: Path, cache: Path, size: int) -> dict[str, float]:
    """Errors on 96 samples with all faults.

    Args:
        network: in evaluation mode.
        assets: folder of the manifest's photographs.
        cache: folder of painted subjects.
        size: px of a sample.

    Returns:
        ``mad`` and ``mse`` of alpha over the whole picture (x1e3), ``band`` (MAD x1e3 where 0 < a < 1) and ``shadow``
        (mean absolute error of the ratio where a < 0.5, x1e3).
    """
    photos = [photo for photo, held_out in load_photos(assets) if held_out]
    stream = batches(load_subjects(cache, "held-out", _SUBJECTS, photos), photos, size, 8, _SEED)
    sums = {"mad": 0.0, "mse": 0.0, "band": 0.0, "shadow": 0.0}
    for _ in range(_BATCHES):
        batch = next(stream)
        prediction, alpha = predict(network, batch), batch["alpha"]
        error = (squash(prediction.logit) - alpha).abs()
        shadow = (prediction.shadow - batch["shadow"]).abs().mean(1, keepdim=True)
        sums["mad"] += float(error.mean())
        sums["mse"] += float(error.square().mean())
        sums["band"] += float(error[(alpha > 0.01) & (alpha < 0.99)].mean())
        sums["shadow"] += float(shadow[alpha < 0.5].mean())
    return {name: round(1e3 * value / _BATCHES, 3) for name, value in sums.items()}
