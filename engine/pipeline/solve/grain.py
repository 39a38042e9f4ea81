"""What grain makes of a difference."""

from __future__ import annotations

import numpy as np

from engine.values import Array, Photometric


def deviation(frame: Array, fit: Photometric) -> Array:
    """Standard deviation of ``frame - plate`` by grain, ``(H, W, 3)``, above 0, from the fitted noise model."""
    model = np.asarray(fit.noise, np.float32)
    variance = model[:, 0] + model[:, 1] * np.maximum(frame, 0)
    return np.asarray(np.sqrt(np.maximum(variance, 1e-12)), np.float32)
