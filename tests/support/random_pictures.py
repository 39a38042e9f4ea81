"""Pictures of nothing, as PlateNet takes them."""

import torch

from engine.network.platenet.light import TYPICAL_NOISE

NOISE = torch.tensor(TYPICAL_NOISE)[None]


def inputs(height=64, width=96):
    """Frame, plate, all of it seen, and no hint; always the same."""
    torch.manual_seed(1)
    frame, plate = torch.rand(2, 1, 3, height, width)
    return frame, plate, torch.ones(1, 1, height, width), torch.zeros(1, 2, height, width)
