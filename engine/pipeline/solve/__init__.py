"""Stage 6: the layers' pixels, from the network's matte. `equation` holds the promise, the other files its terms."""

from engine.pipeline.solve.equation import solve

__all__ = ["solve"]
