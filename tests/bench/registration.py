"""How well plates are brought onto frames, and what it takes: ``python tests/bench/registration.py WHAT``.

``truth`` holds the map from frame to plate against the exact one of generated rooms of two depths, over the background
that both cameras saw; ``plain`` does so for drawn rooms, whose near things are plain panels. ``time`` takes the seconds
of a frame. ``matte`` mattes one frame with a plate of its own view and with a plate of another, and compares the
errors; the network is the shipped one.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

import scenes
from exr_files import source_of

from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.decode import decode
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.registration import register
from engine.pipeline.registration.alignment import align
from engine.pipeline.registration.feature_image import feature_images
from engine.pipeline.registration.refine import refine
from engine.pipeline.registration.warp import warp_plate
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, MatteJob
from engine.synthesis.foregrounds import foreground
from engine.synthesis.grain import with_grain
from engine.synthesis.two_depths import View, furnish, hand_held
from engine.synthesis.walk_through import drawn_set

MARGIN = 40
VIEWS = ((5, 1), (10, 3), (15, 5), (20, 8))
"""px that the far wall moves, and px that near things move further."""


def furnished(seed: int, size):
    """A drawn room: another set cut up before a first one."""
    rng = np.random.default_rng(seed)
    height, width = (side + 2 * MARGIN for side in size)
    far, near = (np.ascontiguousarray(drawn_set(rng, max(height, width))[:height, :width]) for _ in range(2))
    return furnish(far, near, MARGIN, rng)


def places(homography, way, size):
    """``(H, W, 2)``: where in the plate each pixel's colour is taken from."""
    x, y = scenes.pixels(size)
    at = np.stack([x + way[..., 0], y + way[..., 1], np.ones_like(x)], -1) @ np.linalg.inv(homography).T
    return at[..., :2] / at[..., 2:]


def textured(seed: int, size):
    """A room whose walls and things have texture everywhere."""
    whole = tuple(side + 2 * MARGIN for side in size)
    far, near = scenes.shot(whole, seed), scenes.shot(whole, seed + 50)
    return furnish(far, near, MARGIN, np.random.default_rng(seed))


def truth(size, seeds: int, make=textured) -> None:
    """Print what is missed, in px: median and 95 % of the background, and of it where it has texture."""
    print("seed reach parallax   homography 50 % 95 %   field 50 % 95 %   textured 95 %   unknown of hidden, of seen")
    for seed in range(1, seeds + 1):
        room = make(seed, size)
        plate = scenes.with_grain(room.picture(View()) * np.float32(1.3), 6)
        for reach, parallax in VIEWS:
            view = hand_held(np.random.default_rng(100 * seed + reach), reach, parallax)
            clean, (true, seen) = room.picture(view), room.truth(view)
            frame = scenes.with_grain(scenes.with_subject(clean, 0.2), 5)
            pair = feature_images(frame, plate)
            alignment = align(pair, np.eye(3))
            field = refine(pair, alignment, size)
            valid = warp_plate(plate, alignment.homography, size, field).valid
            ways = [np.zeros((*size, 2), np.float32) if one is None else one.way for one in (None, field)]
            missed = [np.hypot(*np.moveaxis(places(alignment.homography, way, size) - true, 2, 0)) for way in ways]
            inside = ((true > 2) & (true < (size[1] - 2, size[0] - 2))).all(2) & (scenes.figure(size, 0.2) == 0)
            ground, hidden, textured = inside & seen & valid, inside & ~seen, slopes(clean) > 0.05
            figures = [*np.percentile(missed[0][ground], (50, 95)), *np.percentile(missed[1][ground], (50, 95))]
            figures.append(np.percentile(missed[1][ground & textured], 95))
            print(
                f"{seed:4} {reach:5} {parallax:8}   {figures[0]:15.3f} {figures[1]:4.2f}   {figures[2]:10.3f} "
                f"{figures[3]:4.2f}   {figures[4]:13.2f}   {(~valid)[hidden].mean():17.2f}, "
                f"{(~valid)[inside & seen].mean():.4f}",
                flush=True,
            )


def slopes(rgb):
    """``(H, W)`` stops per px, the steepest way."""
    stops = np.log2(np.maximum(rgb.mean(2), 0) + 0.01).astype(np.float32)
    across, down = (cv2.Scharr(stops, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    return cv2.blur(np.hypot(across, down), (9, 9))


def clock(size, seeds: int) -> None:
    """Print seconds, of the wall and of the processors, of one frame."""
    room = textured(1, size)
    plate = scenes.image(scenes.with_grain(room.picture(View()), 6), "plate.exr")
    still = View(), "locked off"
    moved = hand_held(np.random.default_rng(1), 10, 0), "hand-held, one depth"
    walked = hand_held(np.random.default_rng(1), 10, 4), "hand-held, two depths"
    for view, name in (still, moved, walked):
        frame = scenes.image(scenes.with_grain(scenes.with_subject(room.picture(view), 0.2), 5))
        took = []
        for _ in range(seeds + 1):
            start = time.perf_counter(), time.process_time()
            register(frame, plate, "auto")
            took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        wall, processors = np.min(took[1:], 0)
        print(f"{name:22} {wall:.2f} s, of processors {processors:.2f} s ({cv2.getNumThreads()} threads)", flush=True)


def matte(size, seeds: int) -> None:
    """Print the mean error of alpha, x 1000, with a plate of the frame's own view, and with a plate of another."""
    job, session = MatteJob(Knobs(), ("cleanplate",), colour.SHIPPED, "ACEScg", "cpu"), Session("cpu", 1 << 28)
    print("seed   locked off   hand-held   ratio   residual px   (mean |alpha error|, x 1000)")
    table = []
    for seed in range(1, seeds + 1):
        rng, room = np.random.default_rng(seed), furnished(seed, size)
        reach = float(rng.uniform(5, 20))
        view = hand_held(rng, reach, 0.3 * reach)
        rgba, behind = subject(seed, size, rng), room.picture(view)
        frame = source(with_grain(rgba[..., :3] + (1 - rgba[..., 3:]) * behind, 400, rng), "frame.exr")
        row, median = [], 0.0
        for clean in (behind, room.picture(View())):
            task = FrameJob(1, frame, source(with_grain(clean, 400, rng), "plate.exr"))
            data, report = matte_frame(job, task, session, lambda _: None, lambda: False)
            alpha, median = decode(source_of(data, "matte.exr", "ACEScg")).alpha, report.residual_median_px
            row.append(1000 * float(np.abs(alpha - rgba[..., 3]).mean()))
        table.append(row)
        print(f"{seed:4}   {row[0]:10.2f}   {row[1]:9.2f}   {row[1] / row[0]:5.2f}   {median:11.2f}", flush=True)
    locked, held = np.mean(table, 0)
    print(f"mean   {locked:10.2f}   {held:9.2f}   {held / locked:5.2f}")


def subject(seed: int, size, rng):
    """``(H, W, 4)`` premultiplied linear: a drawn subject that stands in the middle."""
    drawn = foreground(seed + 10, [drawn_set(rng, 512)])
    scale = 0.95 * size[0] / drawn.shape[0]
    place = np.array([[scale, 0, 0.5 * (size[1] - 0.95 * size[0])], [0, scale, 0.05 * size[0]]])
    return cv2.warpAffine(drawn, place, size[::-1], flags=cv2.INTER_AREA)


def source(rgb, name):
    return source_of(exr(rgb, half=True), name, "ACEScg")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("truth", "plain", "time", "matte"))
    parser.add_argument("--size", type=int, nargs=2, default=(1080, 1920), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--seeds", type=int, default=2, help="rooms; for `time` the runs")
    given = parser.parse_args()
    work = {"truth": truth, "plain": partial(truth, make=furnished), "time": clock, "matte": matte}
    work[given.what](tuple(given.size), given.seeds)
