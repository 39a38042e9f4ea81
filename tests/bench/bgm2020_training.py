"""A run of the 2020 network on its own held-out samples: ``python tests/bench/bgm2020_training.py RUN DATA``.

Beside it on the same samples: the segmentation cue that it was given, taken as a matte; background subtraction, tuned
on these very samples' truth; and nothing at all. The run's curves go to ``--picture``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.evaluation.difference_keyer import tune
from engine.network.bgm2020 import BackgroundMatting2020
from engine.training.checkpoint import load_checkpoint
from engine.training.composition.augment import light
from engine.training.composition.samples import CompositionSource
from engine.training.config import Composition
from engine.training.plots import draw_losses


def main() -> None:
    """Print a table, one line a method; MAD and MSE over the whole sample, MAD in the soft band, all x 1e3."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--held-out", type=int, default=12)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    recipe = Composition(given.data, "linear", 4.0, "published", given.held_out, given.held_out, given.size, batch=2)
    source = CompositionSource(recipe, 7, held_out=True)
    batches = [source.batch(number, 0.0) for number in range(given.batches)]
    truths = [truth for batch in batches for truth in _planes(batch["alpha"])]
    print(f"{len(truths)} samples of {given.size} px; step {load_checkpoint(given.run)['step']}")
    answers = {
        "nothing": [np.zeros_like(truth) for truth in truths],
        "the cue as a matte": [plane for batch in batches for plane in _planes(batch["segmentation"])],
        "background subtraction": _subtraction(batches, truths),
        "2020 network": _network(given.run, batches),
    }
    for name, alphas in answers.items():
        error = np.stack([np.abs(alpha - truth) for alpha, truth in zip(alphas, truths, strict=True)])
        soft = (np.stack(truths) > 0.01) & (np.stack(truths) < 0.99)
        figures = (1e3 * float(part.mean()) for part in (error, error**2, error[soft]))
        print("{:24} MAD {:6.1f}  MSE {:6.1f}  band {:6.1f}".format(name, *figures))
    if given.picture:
        lines = [json.loads(line) for line in (given.run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        draw_losses(given.picture, lines)


def _planes(values: torch.Tensor) -> list[np.ndarray]:
    return list((values[:, 0] / 2 + 0.5).numpy())


def _colours(values: torch.Tensor) -> list[np.ndarray]:
    return [light(picture) for picture in (values / 2 + 0.5).permute(0, 2, 3, 1).numpy()]


def _subtraction(batches, truths) -> list[np.ndarray]:
    frames, plates = ([one for batch in batches for one in _colours(batch[name])] for name in ("image", "plate"))
    keyer = tune(frames, plates, truths)
    return [keyer.key(frame, plate) for frame, plate in zip(frames, plates, strict=True)]


@torch.no_grad()
def _network(run: Path, batches) -> list[np.ndarray]:
    network = BackgroundMatting2020().eval()
    network.load_state_dict(load_checkpoint(run)["average"])
    names = ("image", "plate", "segmentation", "motion")
    return [plane for batch in batches for plane in _planes(network(*(batch[name] for name in names))[0])]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
