"""How well a matte knows its errors: ``python tests/bench/uncertainty.py fit | measure [--assets FOLDER]``.

``fit`` prints ``WEIGHTS`` of `engine.pipeline.solve.uncertainty` for the network that ships. The whole pipeline keys
shots over training's photographs, and shots with deep shadows, of seeds that no other set has. ``measure`` says on the
validation set, and on further shots with shadows, how errors and the layer agree: pixel by pixel, in a table of
reliability, and frame by frame as the report ranks them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[2])]

from engine.evaluation.figures import calibration
from engine.evaluation.keyers import Keyed, ModelKeyer, open_session
from engine.evaluation.metrics import unknown_band
from engine.evaluation.shot import Shot
from engine.pipeline import matte_frame as stages
from engine.pipeline.solve import solve
from engine.pipeline.solve.grain import deviation
from engine.pipeline.solve.uncertainty import CUES, cues
from engine.reporting.figures import doubtful, expected_errors
from engine.synthesis.lit_shot import lit_shot
from engine.training.validation_set import FULL, Extent, shots
from engine.values import Array, Matte, Photometric, Plate, Solution

FITTED, FITTED_LIT, LIT = 50_000_000, 60_001_000, 60_003_000
"""First seeds: of the shots to fit on, and of the shots with shadows to fit on and to measure on."""

SAMPLES = 6000
"""Pixels of a frame that are fitted on."""

RIDGE = 1e-4
BINS = (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.01)


def lit(first: int, count: int, frames: int) -> Iterator[Shot]:
    """Shots of `engine.synthesis.lit_shot`, 320 x 192."""
    for seed in range(first, first + count):
        made = lit_shot((192, 320), frames, seed)
        taken = [made.frame(index) for index in range(frames)]
        numbers, truth = tuple(range(frames)), (made.alphas, made.foregrounds, made.shadows)
        yield Shot(str(seed), "shadows", "ACEScg", numbers, taken, made.plate, *map(list, truth))


def ends(shot: Shot) -> Shot:
    """First and last frame."""
    lists = {name: value[:: len(value) - 1] for name, value in vars(shot).items() if isinstance(value, list | tuple)}
    return replace(shot, **lists)


def fit(assets: Path, keyer: ModelKeyer) -> None:
    """Print the weights that fit best."""
    rng, columns, errors = np.random.default_rng(0), [], []
    training = (ends(shot) for shot, _ in shots(assets, None, Extent(16, 5, (480, 640)), FITTED, held_out=False))
    for shot in chain(training, lit(FITTED_LIT, 24, 1)):
        seen: list[tuple[Array, ...]] = []
        with mock.patch.object(stages, "solve", lambda *parts, seen=seen: watched(seen, *parts)):
            keyed = keyer.key(shot, "auto")
        if any(one.refused for one in keyed):
            continue
        for one, truth, planes in zip(keyed, shot.alphas, seen, strict=True):
            chosen = rng.choice(truth.size, SAMPLES, replace=False)
            columns.append(np.stack([np.ones(SAMPLES), *(plane.ravel()[chosen] for plane in planes)], 1))
            errors.append(np.abs(one.alpha - truth).ravel()[chosen])
        print(shot.group, shot.name, flush=True)
    weights = logistic(np.concatenate(columns), np.concatenate(errors))
    print(f"WEIGHTS = {tuple(round(float(weight), 2) for weight in weights)}  # 1, {', '.join(CUES)}")


def watched(seen: list, frame: Array, plate: Plate, matte: Matte, fit: Photometric, *rest) -> Solution:
    """The pipeline's own solution; its cues are kept."""
    solution = solve(frame, plate, matte, fit, *rest)
    behind = solution.shadow_ratio * solution.plate
    seen.append(cues(frame, behind, matte, solution.alpha, deviation(frame, fit)))
    return solution


def logistic(columns: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Weights ``(K,)`` of least cross entropy to errors 0..1, ``(N,)``, by Newton's method, with a slight ridge."""
    weights = np.zeros(columns.shape[1])
    weights[0] = -4
    for _ in range(60):
        expected = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (expected - errors) / len(errors) + RIDGE * weights
        curve = (columns * (expected * (1 - expected))[:, None]).T @ columns / len(errors)
        step = np.linalg.solve(curve + RIDGE * np.eye(len(weights)), slope)
        weights -= step * min(1, 3 / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            break
    return weights


def measure(name: str, made: Iterable[Shot], keyer: ModelKeyer) -> None:
    """Print how the layer and the errors of some shots agree."""
    ranks, said, true, places, lost = [], [], [], [], []
    for shot in made:
        keyed = keyer.key(shot, "auto")
        pairs = [(one.uncertainty, np.abs(one.alpha - alpha)) for one, alpha in zip(keyed, shot.alphas, strict=True)]
        for (layer, error), alpha in zip(pairs, shot.alphas, strict=True):
            edge, wrong = unknown_band(alpha), error > 1e-3
            ranks.append(
                [calibration(layer[at], error[at]) for at in (wrong | ~wrong, edge, wrong)] + [(error == 0).mean()]
            )
            said.append(layer.ravel())
            true.append(error.ravel())
        errors = np.array([error.mean() for _, error in pairs])
        order = list(np.argsort(-np.array(frames_expected(keyed)), kind="stable"))
        places.append(order.index(int(errors.argmax())) + 1)
        lost.append(errors[order[0]] / errors.max())
    whole, edge, wrong, exact = np.mean(ranks, 0)
    print(f"{name}: Spearman {whole:.3f} over the frame, {edge:.3f} at edges, {wrong:.3f} where error is above 0.001")
    print(
        f"error is exactly 0 on {exact:.1%} of the pixels: a layer that never ties reaches {(1 - exact**3) ** 0.5:.3f}"
    )
    reliability(np.concatenate(said), np.concatenate(true))
    first = np.mean(np.array(places) == 1)
    print(f"frames: the first one flagged is the worst in {first:.0%} of {len(places)} shots, places {places};")
    print(f"its error is {np.mean(lost):.3f} of the worst one's", flush=True)


def frames_expected(keyed: list[Keyed]) -> list[float]:
    """What the report ranks frames by."""
    return expected_errors([doubtful(one.uncertainty) for one in keyed], [float(one.alpha.mean()) for one in keyed])


def reliability(said: Array, true: Array) -> None:
    """Print the mean error where the layer says so much."""
    print(f"mean expected {said.mean():.4f}, true {true.mean():.4f}\n| layer from | pixels | mean of it | true error |")
    for low, high in pairwise(BINS):
        inside = (said >= low) & (said < high)
        if inside.any():
            print(f"| {low} | {inside.mean():.2%} | {said[inside].mean():.4f} | {true[inside].mean():.4f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fit", "measure"))
    parser.add_argument("--assets", type=Path, default=Path("work/assets"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    shipped = ModelKeyer("platenet", open_session("cpu"))
    if given.what == "fit":
        fit(given.assets, shipped)
    else:
        measure("validation set", (shot for shot, _ in shots(given.assets, None, FULL)), shipped)
        measure("shadows", lit(LIT, 10, 12), shipped)
