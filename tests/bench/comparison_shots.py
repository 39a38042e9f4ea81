"""The shots of `comparison.py`: the small validation set, the demo, and the article's failure cases, all generated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.evaluation.degradations import with_shadow
from engine.evaluation.shot import Shot
from engine.evaluation.shot_folder import ShotFolder, find_shots, read_shot, write_shot
from engine.synthesis.demo.shot import SPACE, DemoShot
from engine.synthesis.foregrounds import foreground
from engine.synthesis.grain import with_grain
from engine.synthesis.moving_set import MovingSet, moving_set
from engine.synthesis.walk_through import drawn_set
from engine.training.validation_set import SMALL, write_validation_set

SHADED = "shadow"
FOUNTAIN = "fountain"

_SHADOW_PERCENT = 60
_FOUNTAIN_SIZE, _FOUNTAIN_SEEDS, _FOUNTAIN_FRAMES, _CLIP = (320, 480), (3, 5), 3, 12
_DEMO_SIZE, _DEMO_FRAMES = (360, 640), (1003, 1004, 1005, 1006)


def all_shots(folder: Path, assets: Path) -> list[ShotFolder]:
    """Every shot, by group; those of an earlier call are kept, since their seeds make them the same."""
    if not (folder / "validation").is_dir():
        write_validation_set(folder / "validation", assets, None, SMALL)
    _kept(folder / "demo" / "room", _demo)
    for source in find_shots(folder / "validation" / "locked-off"):
        _kept(folder / SHADED / source.name, lambda name, source=source: _shaded(name, source))
    for seed in _FOUNTAIN_SEEDS:
        _kept(folder / FOUNTAIN / str(seed), lambda name, seed=seed: _fountain(name, seed))
    order = ("locked-off", "hand-held", "demo", SHADED, FOUNTAIN)
    return sorted(find_shots(folder), key=lambda shot: order.index(shot.group))


def empty_clip(seed: int) -> list[np.ndarray]:
    """The set of a fountain shot at other times, with grain."""
    rng, behind = np.random.default_rng((seed, 1)), _set(seed)
    return [with_grain(behind.at(100.0 + time), 400, rng) for time in range(_CLIP)]


def _kept(folder: Path, make) -> None:
    if not (folder / "shot.json").exists():
        write_shot(folder, make(folder.name), {})


def _demo(name: str) -> Shot:
    made = DemoShot(_DEMO_SIZE)
    frames = [made.frame(number) for number in _DEMO_FRAMES]
    return Shot(
        name, "demo", SPACE, _DEMO_FRAMES, [one.frame for one in frames], made.clean_plate(),
        [one.alpha for one in frames], [one.premultiplied for one in frames], [one.shadow_ratio for one in frames],
    )  # fmt: skip


def _shaded(name: str, source: ShotFolder) -> Shot:
    """A locked-off shot with a cast shadow that takes most of the light."""
    return replace(with_shadow(read_shot(source), _SHADOW_PERCENT, 1), group=SHADED, name=name)


def _set(seed: int) -> MovingSet:
    return moving_set(_FOUNTAIN_SIZE, seed)


def _fountain(name: str, seed: int) -> Shot:
    """A subject before leaves and water that move; the clean plate is one picture of them at another time."""
    rng, behind = np.random.default_rng(seed), _set(seed)
    rgba = foreground(seed + 10, [drawn_set(rng, 512)])
    scale = 0.95 * _FOUNTAIN_SIZE[0] / rgba.shape[0]
    size = _FOUNTAIN_SIZE[::-1]
    frames, alphas, lights = [], [], []
    for index in range(_FOUNTAIN_FRAMES):
        place = np.array([[scale, 0, 0.16 * size[0] + 2 * index], [0, scale, 0.05 * size[1]]])
        placed = cv2.warpAffine(rgba, place, size, flags=cv2.INTER_AREA).clip(0, None)
        alphas.append(placed[..., 3].clip(0, 1))
        lights.append(placed[..., :3])
        frames.append(with_grain(lights[-1] + (1 - alphas[-1][..., None]) * behind.at(5.3 + index), 400, rng))
    plate = with_grain(behind.at(100.0), 400, rng)
    numbers = tuple(range(1001, 1001 + _FOUNTAIN_FRAMES))
    return Shot(name, FOUNTAIN, SPACE, numbers, frames, plate, alphas, lights, None)
