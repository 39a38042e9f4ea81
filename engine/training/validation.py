"""Errors on subjects and photographs that training never sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.network.platenet import PlateNet, squash
from engine.training.dataset import Batches, Subjects, load_painted, load_photos

_SUBJECTS, _BATCHES, _SIZE, _SEED = 64, 16, 384, 7


def predict(network: PlateNet, batch: dict[str, Tensor]) -> Any:  # noqa: ANN401 - a Prediction; the call is untyped
    """Run a network on a batch of `engine.training.dataset.Batches`."""
    pictures = (batch[name] for name in ("frame", "plate", "valid", "hint"))
    return network(*pictures, int(batch["cell"]), batch.get("noise"))


@torch.no_grad()
def validate(network: PlateNet, assets: Path, cache: Path, renders: Path | None) -> dict[str, float]:
    """Errors on 64 samples with all faults.

    Args:
        network: in evaluation mode.
        assets: folder of the manifest's photographs.
        cache: folder of painted subjects.
        renders: folder of rendered held-out subjects.

    Returns:
        ``mad`` and ``mse`` of alpha over the whole picture (x1e3), ``band`` (MAD x1e3 where 0 < a < 1) and ``shadow``
        (mean absolute error of the ratio where a < 0.5, x1e3).
    """
    photos = [photo for photo, held_out in load_photos(assets) if held_out]
    subjects = Subjects(load_painted(cache, "held-out", _SUBJECTS, photos), renders)
    batches = Batches(subjects, photos, _SIZE, 4, _SEED, echo=1)
    sums = {"mad": 0.0, "mse": 0.0, "band": 0.0, "shadow": 0.0}
    for number in range(_BATCHES):
        batch = batches.batch(number)
        prediction, alpha = predict(network, batch), batch["alpha"]
        error = (squash(prediction.logit) - alpha).abs()
        shadow = (prediction.shadow - batch["shadow"]).abs().mean(1, keepdim=True)
        sums["mad"] += float(error.mean())
        sums["mse"] += float(error.square().mean())
        soft = error[(alpha > 0.01) & (alpha < 0.99)]
        sums["band"] += float(soft.mean()) if soft.numel() else 0.0
        sums["shadow"] += float(shadow[alpha < 0.5].mean())
    return {name: round(1e3 * value / _BATCHES, 3) for name, value in sums.items()}
