"""Whether the report names the frame that is worst: ``python tests/bench/flagged.py [--first SEED] [--json FILE]``.

Shots of 40 frames, keyed by the whole pipeline. In most something goes wrong for a frame or a few, as it does on sets
and in post: a flash, a knock at the camera, a pull of the focus, somebody's shadow, a broken frame. One frame in twenty
is two of 40: the first two that `engine.reporting` names are held against the frames' true errors. The order of naming
was chosen on the shots from seed 60,005,000 on; those from 60,006,000 on are others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

from exr_files import source_of

from engine.errors import EngineError
from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.reporting.figures import figures
from engine.reporting.page import Shot
from engine.reporting.result import read_result
from engine.settings import FrameJob, Knobs, MatteJob
from engine.synthesis.lit_shot import LitShot, lit_shot
from engine.values import Array

SIZE, FRAMES = (192, 320), 40
NAMED = FRAMES // 20


def flash(frame: Array, at: int) -> Array:
    """A photographer's: two stops and more on one side, in one frame."""
    y, x = (np.linspace(-1, 1, length) for length in frame.shape[:2])
    light = 1 + 4 * np.exp(-((x[None] - 0.6) ** 2 + y[:, None] ** 2) / 0.5)
    return frame * light[..., None].astype(np.float32) if at == 23 else frame


def knock(frame: Array, at: int) -> Array:
    """The camera is hit: 9 px of motion blur, 7 px out of place."""
    if at not in (17, 18):
        return frame
    smear = np.zeros((9, 9), np.float32)
    smear[4] = 1 / 9
    moved = np.array(((1, 0, 7 - 10 * (at - 17)), (0, 1, 3)), np.float32)
    return cv2.warpAffine(cv2.filter2D(frame, -1, smear), moved, SIZE[::-1], borderMode=cv2.BORDER_REFLECT)


def defocus(frame: Array, at: int) -> Array:
    """Focus is pulled away and back within five frames."""
    depth = max(0.0, 3 - abs(at - 27))
    return cv2.GaussianBlur(frame, (0, 0), 0.9 * depth) if depth else frame


def stranger(frame: Array, at: int) -> Array:
    """Somebody's soft shadow passes, of 60 %, within eight frames."""
    if not 10 <= at < 18:
        return frame
    y, x = (np.linspace(0, 1, length) for length in frame.shape[:2])
    blob = np.exp(-((x[None] - (at - 9) / 9) ** 2 / 0.01 + (y[:, None] - 0.4) ** 2 / 0.08))
    return frame * (1 - 0.6 * blob[..., None]).astype(np.float32)


def broken(frame: Array, at: int) -> Array:
    """Compression fails: JPEG of quality 6 in one frame."""
    if at != 30:
        return frame
    shown = (np.clip(frame, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    coded = cv2.imdecode(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 6])[1], cv2.IMREAD_COLOR)
    return ((coded / np.float32(255)) ** 2.2).astype(np.float32)


def nothing(frame: Array, _at: int) -> Array:
    """A shot like any other."""
    return frame


EVENTS: tuple[Callable[[Array, int], Array], ...] = (flash, knock, defocus, stranger, broken, nothing)


def keyed(shot: LitShot, event: Callable[[Array, int], Array], session: Session) -> tuple[Shot, np.ndarray]:
    """The shot as the report has it, without frames that are refused, and the mean error of alpha of each."""
    layers = ("residual", "uncertainty", "validity", "cleanplate")
    job = MatteJob(Knobs(), layers, colour.SHIPPED, "ACEScg", "cpu")
    plate = source_of(exr(shot.plate, half=True), "plate.exr", "ACEScg")
    told, errors = [], []
    for at, alpha in enumerate(shot.alphas):
        picture = exr(event(shot.frame(at), at), half=True)
        task = FrameJob(at, source_of(picture, f"frame.{at}.exr", "ACEScg"), plate)
        try:
            data, _ = matte_frame(job, task, session, lambda _: None, lambda: False)
        except EngineError as error:
            print(f"frame {at} has no matte: {error.message}")
            continue
        result = read_result(source_of(data, f"keyed.{at}.exr", "ACEScg"))
        told.append(figures(at, result))
        errors.append(float(np.abs(result.alpha - alpha).mean()))
    return Shot(event.__name__, told, {}), np.array(errors)


def main() -> None:
    """Print a line a shot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=60_006_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    session, kept = Session("cpu", 1 << 30), []
    print("event      worst / median   the worst is named   error of the worst named, of the worst   named")
    for event in EVENTS:
        for seed in range(given.seeds if event is not nothing else 2 * given.seeds):
            shot, errors = keyed(lit_shot(SIZE, FRAMES, given.first + 10 * EVENTS.index(event) + seed), event, session)
            named, worst = [suspect.number for suspect in shot.first()[:NAMED]], shot.numbers[int(errors.argmax())]
            share = errors[[shot.numbers.index(number) for number in named]].max() / errors.max()
            spread = errors.max() / np.median(errors)
            print(
                f"{event.__name__:9}  {spread:12.2f}  {worst in named!s:>18}  {share:12.2f}  {worst} {named}",
                flush=True,
            )
            told = [{k: v for k, v in vars(one).items() if k != "alpha"} for one in shot.figures]
            kept.append({"event": event.__name__, "errors": errors.tolist(), "figures": told, "series": shot.series})
    if given.json:
        given.json.write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
