"""Peak memory of the network, bytes a pixel: python tests/bench/network_memory.py HEIGHT WIDTH (multiples of 128).."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.network.table import load_keyer


def peak() -> int:
    """Bytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Run the network once, on noise, where every tile is in doubt, and print what it took beyond its inputs."""
    height, width = (int(argument) for argument in sys.argv[1:3])
    network = load_keyer("platenet", "cpu").at(height, width)
    inputs = [torch.rand(1, channels, height, width) for channels in (3, 3, 1, 2)]
    before = peak()
    with torch.inference_mode():
        network(*inputs)
    print(f"{width}x{height}: {(peak() - before) / (height * width):.0f} bytes a pixel, {peak() / 1e9:.2f} GB in all")


if __name__ == "__main__":
    main()
