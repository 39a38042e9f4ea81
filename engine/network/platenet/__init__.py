"""PlateNet: what is where is settled at low resolution, and full resolution is spent on uncertain tiles only."""

from engine.network.platenet.keyer import PlateNetKeyer, platenet_keyer
from engine.network.platenet.light import decode, encode, tolerant_difference
from engine.network.platenet.platenet import PlateNet, Prediction, squash

__all__ = [
    "PlateNet",
    "PlateNetKeyer",
    "Prediction",
    "decode",
    "encode",
    "platenet_keyer",
    "squash",
    "tolerant_difference",
]
