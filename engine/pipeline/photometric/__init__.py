"""Stage 4: a plate's exposure to the frame's. `fit` finds gain and offset; `grain` says how noisy what remains is."""

from engine.pipeline.photometric.fit import apply, fit

__all__ = ["apply", "fit"]
