"""PlateNet as the pipeline calls it: folded for speed, with a cell for the picture, and the plate looked at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.network.folding import folded
from engine.network.platenet.light import Noise
from engine.network.platenet.platenet import PlateNet, Prediction, cell_size, known_noise, seen

# Cells that a tile sees beyond its edge; `tests/unit/test_matte.py` states the difference that remains.
_MARGIN_CELLS = 128

# Plates whose features are kept.
_KEPT_PLATES = 4


class PlateNetKeyer(nn.Module):
    """See `engine.network.keyer.Keyer`.

    Args:
        network: in evaluation mode.
        cell: px along a cell of the base.
        noise: ``(3, 2)`` grain, as `light.significance` takes it; None where none was measured.
        plates: features of plates seen so far, shared between sizes.

    Attributes:
        refined_share: of the picture, in the last call.
    """

    # tests/bench/network_memory.py measured 165 at 1024x640 and 114 at 1920x1152 on a CPU.
    bytes_per_pixel = 400
    takes_hint = True

    def __init__(
        self, network: PlateNet, cell: int = 4, noise: Noise | None = None, plates: _Plates | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.cell = cell
        self.stride, self.margin = 16 * cell, _MARGIN_CELLS * cell
        self.refined_share = 0.0
        self._noise = noise
        self._plates = plates or _Plates()

    def at(self, height: int, width: int, noise: Noise | None = None) -> PlateNetKeyer:
        """The network as it looks at pictures of this size and grain."""
        return PlateNetKeyer(self.network, cell_size(height, width), noise, self._plates)

    def forward(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch; see `PlateNet.forward`."""
        measured = None if self._noise is None else frame.new_tensor(self._noise).expand(len(frame), 3, 2)
        noise = known_noise(measured, frame)
        view = seen(frame, plate, valid, hint, self.cell, noise)
        sketch = self.network.base(view, self._plates.features(self.network, view.plate))
        prediction, tiles = self.network.finished(sketch, frame, plate, valid, self.cell, noise)
        self.refined_share = tiles * 32 * 32 / frame[:, 0].numel()
        return prediction


class _Plates:
    """Features of the last few plates. Where the camera is locked off and the light is steady, one serves the shot.

    What is kept is a pure function of the plate's very pixels, so that no frame depends on what was rendered before it.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, list[Tensor]]] = []

    def features(self, network: PlateNet, plate: Tensor) -> list[Tensor]:
        """Encoder features of a plate, reduced to cells."""
        for known, features in self._kept:
            if known.dtype == plate.dtype and torch.equal(known, plate):
                return features
        features = network.base.look(plate)
        self._kept = [(plate, features), *self._kept[: _KEPT_PLATES - 1]]
        return features


def platenet_keyer(network: PlateNet) -> PlateNetKeyer:
    """The network, folded in place, ready for the pipeline."""
    return PlateNetKeyer(folded(network))
