"""What plates cost and what they are worth: ``python tests/bench/plates.py build|walk|moving``.

``build`` times `platekey plate build`'s work on a generated shot, with the memory it takes. ``walk`` holds
plates built from 48 frames against the set they show. ``moving`` mattes subjects
before generated foliage with the shipped network, against the perfect plate, a still and a clip of the empty set.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

from exr_files import source_of

from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.decode import decode
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.plates import build_plate
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, MatteJob, plate_set
from engine.synthesis.foregrounds import foreground
from engine.synthesis.grain import with_grain
from engine.synthesis.moving_set import moving_set
from engine.synthesis.textures import noise
from engine.synthesis.walk_through import drawn_set, walk_through

SIZE = (256, 384)


def source(rgb, name="plate.exr"):
    return source_of(exr(rgb, half=True), name, "ACEScg")


def walking(height: int, width: int, count: int):
    """Frames of a textured set with a box that walks through."""
    rng = np.random.default_rng(1)
    base = 0.18 * np.exp(sum(noise(rng, width, cell, 3) for cell in (200, 50, 12, 5)))[:height].astype(np.float32)
    for index in range(count):
        picture = base.copy()
        left = width * index // (count + 4)
        picture[height // 4 :, left : left + width // 6] = (0.6, 0.2, 0.1)
        yield index, source(with_grain(picture, 400, rng), f"f.{index}.exr")


def build(height: int, width: int, count: int) -> None:
    """Time the parts of a build."""
    files = dict(walking(height, width, count))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = [(index, partial(files.__getitem__, index)) for index in files]
    began, told = time.perf_counter(), []
    for _, message in build_plate(frames, count // 2, colour.load_config(colour.SHIPPED), "ACEScg", "auto"):
        told.append((time.perf_counter() - began, message))
    total = time.perf_counter() - began
    median, mean = (next(at for at, message in told if message.startswith(word)) for word in ("median", "mean"))
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{width} x {height}, {count} frames: {median / count:.2f} s a frame to bring together,")
    print(f"median {mean - median:.1f} s, mean {total - mean:.1f} s, {total:.0f} s in all; peak +{peak:.0f} MiB")
    decoded = time.perf_counter()
    decode(files[0])
    print(f"(one decode: {time.perf_counter() - decoded:.2f} s)")


def acescct(linear):
    """S-2016-001 of the Academy."""
    line = 10.5402377416545 * linear + 0.0729055341958355
    return np.where(linear <= 0.0078125, line, (np.log2(np.maximum(linear, 1e-10)) + 9.72) / 17.52)


def walk(folder: str) -> None:
    """Print how well the set is found; pictures (frame, plate, coverage) into a folder where one is named."""
    print("seed  camera   PSNR, seen >= 8   one frame   coverage off by   holes")
    for seed, held in ((3, False), (4, False), (5, True), (6, True)):
        shot = walk_through((180, 320), 48, seed, held)
        files = {index: source(shot.frame(index)) for index in range(48)}
        frames, kept = [(index, partial(files.__getitem__, index)) for index in files], []
        building = build_plate(frames, 24, colour.load_config(colour.SHIPPED), "ACEScg", "auto")
        for _ in _kept(building, kept):
            pass
        truth, built, inner = shot.clean(24), kept[0], np.s_[10:-10, 10:-10]
        seen = sum((shot.alpha(index, 24) < 0.02).astype(int) for index in range(48))
        ours, theirs = ((acescct(rgb) - acescct(truth)) ** 2 for rgb in (built.rgb, shot.frame(24)))
        found = -10 * np.log10(ours[(seen >= 8) & (built.coverage > 0)].mean())
        single = -10 * np.log10(theirs[shot.alpha(24) < 0.01].mean())
        off = np.abs(built.coverage - seen)[inner].mean() / 48
        camera = "held" if held else "locked"
        print(f"{seed:4}  {camera:7}  {found:10.1f} dB  {single:6.1f} dB  {off:16.2%}  {built.holes:6.2%}", flush=True)
        if folder:
            coverage = np.repeat((built.coverage / 48)[..., None], 3, 2) ** 2.2
            _draw(f"{folder}/walk_{seed}.png", [shot.frame(24), built.rgb, coverage])


def _kept(building, kept):
    kept.append((yield from building))


def _draw(path, pictures) -> None:
    shown = [(np.clip(picture, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)[..., ::-1] for picture in pictures]
    cv2.imwrite(path, np.hstack(shown))


def before_foliage(seed: int):
    """Frame, its set without grain, a clip of the set at other times, and the true alpha."""
    ours, rng = moving_set(SIZE, seed), np.random.default_rng(seed)
    rgba = foreground(seed + 10, [drawn_set(rng, 512)])
    scale = 0.95 * SIZE[0] / rgba.shape[0]
    place = np.array([[scale, 0, 0.16 * SIZE[1]], [0, scale, 0.04 * SIZE[0]]])
    rgba = cv2.warpAffine(rgba, place, SIZE[::-1], flags=cv2.INTER_AREA)
    frame = with_grain(rgba[..., :3] + (1 - rgba[..., 3:]) * ours.at(5.3), 400, rng)
    clip = tuple(source(with_grain(ours.at(100 + t), 400, rng), f"plate.{t}.exr") for t in range(24))
    return frame, source(with_grain(ours.at(5.3), 400, rng)), clip, rgba[..., 3]


def moving(folder: str) -> None:
    """Print the error of each plate, by shot; pictures into a folder where one is named."""
    table, session = [], Session("cpu", 1 << 30)
    print("seed  perfect    still   moving  moving/still  beyond perfect   (mean |alpha error|, x 1e-3)")
    for seed in range(1, 9):
        frame, perfect, clip, truth = before_foliage(seed)
        job = MatteJob(Knobs(), ("cleanplate",), colour.SHIPPED, "ACEScg", "cpu")
        row, pictures = [], [frame]
        for plate in (perfect, clip[0], plate_set("moving", clip)):
            task = FrameJob(1, source(frame, "frame.exr"), plate)
            data, _ = matte_frame(job, task, session, lambda _: None, lambda: False)
            alpha = decode(source_of(data, "matte.exr", "ACEScg")).alpha
            row.append(1000 * np.abs(alpha - truth).mean())
            pictures.append(np.repeat(alpha[..., None], 3, 2))
        table.append(row)
        _line(f"{seed:4}", row)
        if folder:
            _draw(f"{folder}/moving_{seed}.png", pictures)
    _line("mean", np.mean(table, 0))


def _line(name, row) -> None:
    perfect, still, chosen = row
    share = (chosen - perfect) / (still - perfect)
    print(f"{name}  {perfect:7.2f}  {still:7.2f}  {chosen:7.2f}  {chosen / still:12.2f}  {share:14.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "walk", "moving"))
    parser.add_argument("--size", type=int, nargs=2, default=(1080, 1920))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--pictures", default="")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if given.what == "build":
        build(*given.size, given.frames)
    else:
        {"walk": walk, "moving": moving}[given.what](given.pictures)
