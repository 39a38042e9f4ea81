"""What an inspection costs: ``PYTHONPATH=. python tests/bench/inspection.py [WIDTH HEIGHT]``.

Process time of one thread, the network loaded: of measuring a frame, and of looking one through for cuts and repeats.
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np

from engine.evaluation.shot import as_source
from engine.inspection.measure import measure
from engine.pipeline import colour
from engine.pipeline.continuity import glance
from engine.pipeline.decode import decode
from engine.pipeline.session import Session
from engine.settings import DEFAULT_LAYERS, FrameJob, Knobs, MatteJob

SPACE = "ACEScg"


def pictures(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A hand-held frame with a dark box before a textured set, and its plate, both with grain."""
    rng = np.random.default_rng(1)
    stops = np.zeros((height, width, 3), np.float32)
    for cell in (120, 40, 12, 5):
        lattice = rng.normal(size=(height // cell + 1, width // cell + 1, 3)).astype(np.float32)
        stops += 0.4 * cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    plate = (0.18 * 2**stops).astype(np.float32)
    hand = np.float32([[1, 0.002, 6.3], [-0.002, 1, -4.1]])
    frame = cv2.warpAffine(plate, hand, (width, height), borderMode=cv2.BORDER_REFLECT)
    frame[height // 3 :, width // 3 : width // 2] = 0.05
    grain = (rng.normal(0, 0.003, frame.shape).astype(np.float32) for _ in range(2))
    return frame + next(grain), plate + next(grain)


def main() -> None:
    """Measure one frame and print what it took."""
    width, height = (int(text) for text in sys.argv[1:3]) if len(sys.argv) > 2 else (1920, 1080)
    cv2.setNumThreads(1)
    frame, plate = (as_source(rgb, "f.exr", SPACE) for rgb in pictures(width, height))
    session = Session("cpu", 1 << 31)
    job = MatteJob(Knobs(), DEFAULT_LAYERS, colour.SHIPPED, SPACE, "cpu")
    session.network("platenet")
    session.plate(plate, job, colour.load_config(colour.SHIPPED))
    start = time.process_time()
    measure(job, FrameJob(1, frame, plate), session, lambda: None)
    measured = time.process_time()
    glance(decode(frame).rgb)
    looked = time.process_time()
    print(f"{width} x {height}: measured in {measured - start:.1f} s, looked through in {looked - measured:.2f} s")


if __name__ == "__main__":
    main()
