"""What adapting to a clip is worth: python tests/bench/adapt.py ASSETS FOLDER [--seconds 60] [--only hand-held/00 ...]

Makes shots with their truth, of subjects and photographs that training never sees, into FOLDER/shots unless they are
there; adapts PlateNet to every other frame of each, without its truth; and prints the errors of the whole pipeline on
the frames between, with the base model and with the adapted one. Seconds are the processor's, of one thread, so that
other work on the machine costs no steps.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import astuple, replace
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.errors import EngineError
from engine.evaluation.keyers import ModelKeyer, open_session
from engine.evaluation.shot import Shot, as_source
from engine.evaluation.shot_folder import find_shots, read_shot
from engine.pipeline.colour import SHIPPED
from engine.settings import FrameJob, Knobs, MatteJob
from engine.training.adaptation.adaptation import Adaptation
from engine.training.adaptation.model_file import register
from engine.training.adaptation.wish import LEAST, Adapted, Wish
from engine.training.validation_set import Extent, write_validation_set

EXTENT = Extent(4, 8, (360, 480))
ADAPTED = "adapted"


def main() -> None:
    """Make the shots, adapt, measure; a line of figures a shot."""
    wanted = parsed()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    shots = wanted.folder / "shots"
    if not shots.exists():
        write_validation_set(shots, wanted.assets, wanted.renders, EXTENT)
    print(f"{'shot':16}{'MAD':>14}{'band':>16}{'held-out':>16}{'certain':>14}{'kept':>9}{'steps':>7}{'seconds':>9}")
    for folder in find_shots(shots):
        shot = read_shot(folder)
        if len(shot.frames) >= 2 * LEAST and (not wanted.only or folder.name in wanted.only):
            print(line(shot, wanted), flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--renders", type=Path, default=Path("tests/samples/renders/held-out"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--method", default="exact")
    parser.add_argument("--only", nargs="*", default=[])
    return parser.parse_args()


def line(shot: Shot, wanted: argparse.Namespace) -> str:
    """One shot's figures: x 1e3, before and after."""
    session = open_session("cpu")
    tested = part(shot, 1)
    before = errors(tested, ModelKeyer("platenet", session))
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLATEKEY_HOME"] = home
        try:
            adapted = adapt(part(shot, 0), wanted, Path(home) / "state", session)
        except EngineError as error:
            if error.reason != "BAD_REQUEST":
                raise
            return f"{shot.name:16}{before[0]:7.2f}{'':7} {before[1]:8.2f}{'':36} refused"
        after = before
        if adapted.helped:
            register(adapted.data, ADAPTED)
            after = errors(tested, ModelKeyer(ADAPTED, session))
    guard = (astuple(adapted.before), astuple(adapted.after))
    pairs = (*zip(before, after, strict=True), *zip(*guard, strict=True))
    figures = [f"{old:7.2f}{new:7.2f}" for old, new in pairs]
    record = {"shot": shot.name, "mad": (before[0], after[0]), "helped": adapted.helped}
    (wanted.folder / f"{shot.name.replace('/', '-')}.json").write_text(json.dumps(record))
    kept = "adapted" if adapted.helped else "base"
    rest = f"{kept:>9}{adapted.steps:7}{adapted.seconds:9.0f}"
    return f"{shot.name:16}{'  '.join(figures)}{rest}"


def part(shot: Shot, first: int) -> Shot:
    """Every other frame."""
    lists = ("numbers", "frames", "alphas", "foregrounds", "shadows")
    return replace(shot, **{name: getattr(shot, name)[first::2] for name in lists})


def adapt(shot: Shot, wanted: argparse.Namespace, folder: Path, session) -> Adapted:
    """Adapt to frames and plate alone."""
    plate = as_source(shot.plate, "plate.exr", shot.space)
    jobs = [
        FrameJob(n, as_source(frame, f"{n}.exr", shot.space), plate)
        for n, frame in zip(shot.numbers, shot.frames, strict=True)
    ]
    job = MatteJob(Knobs(), (), SHIPPED, shot.space, "cpu")
    frames = [(each.number, lambda each=each: each) for each in jobs]
    one = Adaptation(Wish(frames, job, folder, wanted.method, wanted.seconds, clock=time.process_time), session)
    for _ in one.steps():
        pass
    assert one.result is not None
    return one.result


def errors(shot: Shot, keyer: ModelKeyer) -> tuple[float, float]:
    """Mean absolute error of the delivered alpha over the frames, and over their soft edges, x 1e3."""
    keyed = keyer.key(shot, "auto")
    off = [np.abs(one.alpha - truth) for one, truth in zip(keyed, shot.alphas, strict=True)]
    soft = [error[(truth > 0.01) & (truth < 0.99)] for error, truth in zip(off, shot.alphas, strict=True)]
    return 1e3 * float(np.mean(off)), 1e3 * float(np.mean([each.mean() for each in soft]))


if __name__ == "__main__":
    main()
