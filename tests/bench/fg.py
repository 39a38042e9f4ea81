"""The straight colour `fg` beside PyMatting's: ``python tests/bench/fg.py [--shots FOLDER]``.

Both are given the alpha that was delivered. Truth is that of the demo shot, which is rendered, and of the shots below a
folder, as `platekey-engine evaluate` takes them. Errors in stops over a floor of 0.02, mean of the channels: where the
true alpha lies in 0.1 to 0.98; in 0.02 to 0.1; and up to 6 px past the edge, against the nearest colour that is all
subject. Grain: what is finer than 3 px inside the subject, as a share of the frame's.

Germer, Uelwer, Conrad & Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020, as PyMatting computes it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from pymatting import estimate_foreground_ml

sys.path[:0] = [str(Path(__file__).parents[2])]

from engine.evaluation.delivered import read_channels
from engine.evaluation.shot import as_source
from engine.evaluation.shot_folder import find_shots, read_shot
from engine.pipeline.colour import SHIPPED
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.scratch import scratch_folder
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, MatteJob
from engine.synthesis.demo.shot import FIRST_FRAME, SPACE, DemoShot

FLOOR = 0.02


def shots(folder: str, size):
    """Name, frame, plate, true alpha, true P, colour space: a frame of the demo shot, then the middle one of others."""
    demo = DemoShot(size)
    truth = demo.frame(FIRST_FRAME + 6)
    yield "demo", truth.frame, demo.clean_plate(), truth.alpha, truth.premultiplied, SPACE
    for found in find_shots(Path(folder)) if folder else ():
        shot = read_shot(found)
        middle = len(shot.frames) // 2
        truth = shot.alphas[middle], shot.foregrounds[middle]
        yield shot.name, shot.frames[middle], shot.plate, *truth, shot.space


def keyed(frame, plate, space, session):
    """The delivered alpha and `fg`."""
    job = MatteJob(Knobs(), ("fg",), SHIPPED, space, "cpu")
    task = FrameJob(1, as_source(frame, "frame.exr", space), as_source(plate, "plate.exr", space))
    data, _ = matte_frame(job, task, session, lambda _: None, lambda: False)
    with scratch_folder() as folder:
        (folder / "keyed.exr").write_bytes(data)
        channels, _ = read_channels(folder / "keyed.exr")
    return channels["A"], np.stack([channels[f"fg.{name}"] for name in "RGB"], 2)


def multi_level(frame, alpha):
    """PyMatting's colour; it expects 0..1."""
    top = float(np.percentile(frame, 99.8))
    return np.float32(top) * estimate_foreground_ml(np.maximum(frame, 0).astype(float) / top, alpha.astype(float))


def figures(colour, frame, alpha, light):
    """Soft, thin, past the edge, grain."""
    true = light / np.maximum(alpha, 1e-3)[..., None]
    soft, thin, solid = (alpha > 0.1) & (alpha < 0.98), (alpha > 0.02) & (alpha <= 0.1), alpha > 0.9
    _, label = cv2.distanceTransformWithLabels(
        (~solid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((label.max() + 1, 3), np.float32)
    table[label[solid]] = true[solid]
    past = (alpha < 0.004) & (cv2.dilate(solid.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0)
    stops = [np.log2(np.maximum(rgb, 0) + FLOOR) for rgb in (colour, true, table[label])]
    to_true, to_near = (np.abs(stops[0] - other).mean(2) for other in stops[1:])
    inside = cv2.erode((alpha > 0.98).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    fine = [(rgb - cv2.blur(rgb, (3, 3)))[inside].std() for rgb in (colour, frame)]
    return [
        to_true[soft].mean(),
        to_true[thin].mean(),
        to_near[past].mean() if past.any() else np.nan,
        fine[0] / fine[1],
    ]


def main() -> None:
    """Print a line a shot and method, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", default="")
    parser.add_argument("--size", type=int, nargs=2, default=(540, 960), metavar=("HEIGHT", "WIDTH"))
    given = parser.parse_args()
    session, rows = Session("cpu", 1 << 28), {}
    print(f"{'shot':16}{'method':12}  soft   thin   past   grain")
    for name, frame, plate, alpha, light, space in shots(given.shots, tuple(given.size)):
        mine, ours = keyed(frame, plate, space, session)
        for method, colour in (("fg", ours), ("multi-level", multi_level(frame, mine))):
            row = figures(colour.astype(np.float32), frame, alpha, light)
            rows.setdefault(method, []).append(row)
            print(f"{name:16}{method:12}" + "".join(f"  {figure:5.3f}" for figure in row), flush=True)
    for method, table in rows.items():
        print(f"{'mean':16}{method:12}" + "".join(f"  {figure:5.3f}" for figure in np.nanmean(table, 0)))


if __name__ == "__main__":
    main()
