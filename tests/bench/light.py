"""What light does to a matte: ``python tests/bench/light.py [exposure | shadow] [--pictures FOLDER]``.

Generated shots with their whole truth (`engine.synthesis.lit_shot`), of seeds that training never sees, keyed by the
whole pipeline with the shipped network, from files to files. ``exposure`` compares shots whose light changes with the
same shots in steady light, and ranks pixels and frames by what the network says of its own error. ``shadow`` measures
shadows of 70 % and lays them on another ground. Both where none is named.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

from exr_files import source_of

from engine.evaluation.delivered import read_channels
from engine.evaluation.figures import calibration
from engine.evaluation.layer_errors import Stack, recombination
from engine.evaluation.metrics import unknown_band
from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, MatteJob, Neighbour
from engine.synthesis.lit_shot import bands, falloff, flicker, lit_shot, ramp
from engine.values import Array

SIZE, COUNT = (192, 320), 6
LOOKED_AT = (0, 5)
"""Frames of a shot that are keyed: its first and its last, where a ramp is furthest from the plate."""

SEEDS = range(60_000_000, 60_000_004)
SPACE = "ACEScg"

LIGHTS = {
    "steady": lambda index, seed: 1.0,
    "ramp, -1 to +1 stop": lambda index, seed: ramp(index, COUNT),
    "flicker, 10 %": lambda index, seed: flicker(index, 0.1, seed),
    "mains bands, 10 %": lambda index, seed: bands(SIZE, index, 0.1, seed),
    "corners, lamp, 20 %": lambda index, seed: falloff(SIZE, index, COUNT, 0.2),
}
"""Gain of a frame."""


@dataclass(frozen=True)
class Keyed:
    """A frame's layers, ``(H, W)`` or ``(H, W, 3)``, and what was reported of it."""

    stack: Stack
    uncertainty: Array
    gain: float


class Keyer:
    """The pipeline with knobs as an artist finds them, but for those named."""

    def __init__(self) -> None:
        self.session = Session("cpu", 1 << 30)

    def key(self, frames: list[Array], plate: Array, **knobs: object) -> list[Keyed]:
        """Key a shot; with a temporal window its neighbours are handed over."""
        layers = ("shadow_ratio", "residual", "validity", "uncertainty", "cleanplate")
        job = MatteJob(Knobs(**knobs), layers, colour.SHIPPED, SPACE, "cpu")
        clean = source(plate, "plate.exr")
        files = [source(frame, f"frame.{index}.exr") for index, frame in enumerate(frames)]
        return [self._key(job, index, files, clean) for index in range(len(files))]

    def _key(self, job, index, files, clean):
        reach = range(max(index - job.knobs.temporal_window, 0), min(index + job.knobs.temporal_window + 1, len(files)))
        near = tuple(Neighbour(other, files[other], clean) for other in reach if other != index)
        task = FrameJob(index, files[index], clean, near)
        data, report = matte_frame(job, task, self.session, lambda _: None, lambda: False)
        with tempfile.NamedTemporaryFile(suffix=".exr") as file:
            file.write(data)
            file.flush()
            planes, _ = read_channels(Path(file.name))
        rgb = {layer: np.stack([planes[layer + name] for name in "RGB"], 2) for layer in LAYERS}
        stack = Stack(rgb[""], planes["A"], rgb["shadow_ratio."], rgb["cleanplate."], rgb["residual."])
        return Keyed(stack, planes["uncertainty.Y"], float(np.mean(report.gain)))


LAYERS = ("", "shadow_ratio.", "cleanplate.", "residual.")


def source(rgb: Array, name: str):
    return source_of(exr(rgb), name, SPACE)


def error(keyed: list[Keyed], shot) -> float:
    """Mean absolute error of alpha, x 1e-3."""
    return 1e3 * float(
        np.mean([np.abs(one.stack.alpha - shot.alphas[i]).mean() for one, i in zip(keyed, LOOKED_AT, strict=True)])
    )


def exposure(keyer: Keyer, shots, folder: str) -> None:
    """Print the error of alpha under each light, and how well the plate follows it."""
    print(
        "light                 |alpha error| x 1e-3   of steady's: mean, worst shot   plate off by: mean, worst frame"
    )
    steady: list[float] = []
    named = []
    for name, gain in LIGHTS.items():
        errors, off = [], []
        for shot in shots:
            lights = [np.float32(gain(index, shot.seed)) for index in LOOKED_AT]
            pairs = list(zip(LOOKED_AT, lights, strict=True))
            frames = [shot.frame(index, light) for index, light in pairs]
            keyed = keyer.key(frames, shot.plate)
            errors.append(error(keyed, shot))
            named += [(one, shot.alphas[i], f"{shot.seed} {name}") for i, one in zip(LOOKED_AT, keyed, strict=True)]
            off += [_off(one.stack.plate, light * shot.clean) for one, light in zip(keyed, lights, strict=True)]
            if folder:
                _draw(f"{folder}/{name.split(',')[0]}_{shot.seed % 100}.png", _rows(frames, keyed, shot, lights))
        steady = steady or errors
        worst = max(ours / theirs for ours, theirs in zip(errors, steady, strict=True))
        mean, off_mean, off_most = np.mean(errors), np.mean(off), np.max(off)
        print(
            f"{name:22}{mean:12.2f}{mean / np.mean(steady):20.2f}{worst:8.2f}{off_mean:26.2%}{off_most:8.2%}",
            flush=True,
        )
    uncertainty(named)


def _off(plate: Array, truth: Array) -> float:
    """Relative error of the fitted plate's light, over blocks that average the grain away; the larger part of it."""
    ours, true = (cv2.resize(rgb, (12, 8), interpolation=cv2.INTER_AREA) for rgb in (plate, truth))
    return float(np.quantile(np.abs(ours / true - 1), 0.9))


def _rows(frames, keyed, shot, lights):
    for frame, one, light in zip(frames, keyed, lights, strict=True):
        matte = np.repeat(one.stack.alpha[..., None], 3, 2) ** 2.2
        yield [frame, matte, 10 * np.abs(one.stack.plate - light * shot.clean)]


def shadow(keyer: Keyer, shots, folder: str) -> None:
    """Print what becomes of shadows."""
    print("seed       shadow pixels with alpha <= 0.1   ratio MAE, background   in shadow   half ulps   new ground")
    for color in ("grey", "rgb"):
        table = []
        for number, shot in enumerate(shots):
            frames = [shot.frame(index) for index in LOOKED_AT]
            keyed = keyer.key(frames, shot.plate, shadow_color=color)
            ground = shots[(number + 1) % len(shots)].clean
            shown = list(zip(LOOKED_AT, frames, keyed, strict=True))
            table.append(np.mean([_shadow(frame, one, shot, index, ground) for index, frame, one in shown], 0))
            _line(f"{shot.seed} {color}", table[-1])
            if folder:
                _draw(f"{folder}/shadow_{color}_{shot.seed % 100}.png", _relit(shown, shot, ground))
        _line(f"mean {color}", np.mean(table, 0))


def _line(name, row) -> None:
    kept, mae, inside, ulps, relit, flat = row
    print(
        f"{name:14}{kept:24.3%}{mae:20.4f}{inside:16.4f}{ulps:10.2f}{relit:12.1f} dB (no shadow {flat:.1f})", flush=True
    )


def _shadow(frame, one: Keyed, shot, index: int, ground: Array):
    alpha, truth = shot.alphas[index], shot.shadows[index]
    shade = (alpha <= 1e-3) & (truth.mean(2) < 0.9)
    apart = np.abs(one.stack.shadow_ratio - truth)
    exact = recombination(frame, one.stack, np.ones(alpha.shape, bool))
    wanted = shot.foregrounds[index] + (1 - alpha[..., None]) * truth * ground
    bare = shot.foregrounds[index] + (1 - alpha[..., None]) * ground
    near = cv2.dilate((truth.mean(2) < 0.97).astype(np.uint8), np.ones((9, 9))) > 0
    relit = [_psnr(rgb, wanted, near) for rgb in (over(one.stack, ground), bare)]
    return (
        (one.stack.alpha[shade] <= 0.1).mean(),
        apart[alpha < 0.5].mean(),
        apart[shade].mean(),
        exact.half_ulps,
        *relit,
    )


def over(stack: Stack, ground: Array) -> Array:
    """Shadow and subject on a new ground."""
    return stack.premultiplied + (1 - stack.alpha[..., None]) * stack.shadow_ratio * ground


def _psnr(ours, truth, where) -> float:
    ours, truth = (np.clip(rgb, 0, 1)[where] ** (1 / 2.4) for rgb in (ours, truth))
    return float(-10 * np.log10(((ours - truth) ** 2).mean()))


def _relit(shown, shot, ground):
    for index, frame, one in shown:
        stack, alpha = one.stack, shot.alphas[index][..., None]
        truth = shot.foregrounds[index] + (1 - alpha) * shot.shadows[index] * ground
        matte = np.repeat(stack.alpha[..., None], 3, 2) ** 2.2
        yield [frame, matte, stack.shadow_ratio**2.2, shot.shadows[index] ** 2.2]
        yield [over(stack, ground), truth, 4 * np.abs(over(stack, ground) - truth), 4 * np.abs(stack.residual)]


def uncertainty(named) -> None:
    """Print how well the network knows its errors, pixel by pixel and frame by frame, of named frames and truths."""
    whole, band, frames = [], [], []
    for one, truth, _ in named:
        apart, edge = np.abs(one.stack.alpha - truth), unknown_band(truth)
        whole.append(calibration(one.uncertainty.ravel(), apart.ravel()))
        band.append(calibration(one.uncertainty[edge], apart[edge]))
        frames.append((one.uncertainty.mean(), apart.mean()))
    said, true = np.array(frames).T
    ranked, most = list(np.argsort(-said, kind="stable")), max(round(len(said) / 20), 1)
    both = set(ranked[:most]) & set(np.argsort(-true)[:most])
    print(f"uncertainty of pixels, Spearman: {np.mean(whole):.2f} over the frame, {np.mean(band):.2f} at edges")
    print(f"of frames: {calibration(said, true):.2f} over {len(said)}; mean {said.mean():.4f}, true {true.mean():.4f}")
    place = ranked.index(int(true.argmax())) + 1
    print(f"the worst frame, {named[int(true.argmax())][2]}, is number {place} to look at; {most} are flagged,")
    print(f"of which {len(both)} are among the {most} worst")


def _draw(path, rows) -> None:
    pictures = np.vstack([np.hstack(row) for row in rows])
    cv2.imwrite(path, (np.clip(pictures, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)[..., ::-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("exposure", "shadow", "all"), default="all")
    parser.add_argument("--pictures", default="")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    keying, made = Keyer(), [lit_shot(SIZE, COUNT, seed) for seed in SEEDS]
    if given.what != "shadow":
        exposure(keying, made, given.pictures)
    if given.what != "exposure":
        shadow(keying, made, given.pictures)
