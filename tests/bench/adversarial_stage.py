"""What the adversarial stage is worth: python tests/bench/adversarial_stage.py ASSETS FOLDER [TABLE.KEY=VALUE ...]

Makes shots with faults that supervised training lacks, runs `platekey-engine train` on them without their truth, and
prints the errors of teacher and student on the same shots and on others of the kind. The settings that are given go to
the run; ASSETS has the manifest's photographs, of which only those held out of training are used.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.evaluation.shot import Shot
from engine.evaluation.shot_folder import write_shot
from engine.synthesis.foregrounds import foreground
from engine.synthesis.textures import Rng, noise
from engine.synthesis.validation_shots import shoot
from engine.training.commands import begin, run_training
from engine.training.config_file import load_config
from engine.training.dataset import load_photos
from engine.training.loop import averaged
from engine.values import Array

SIZE, FRAMES = (384, 512), 4
FIRST_SEED = 60_000_000
GROUPS = {"shots": 6, "others": 3}


def harmonised(premultiplied: Array, alpha: Array, around: Array) -> Array:
    """A subject graded to its set: its log colour gets the set's mean and contrast, its rim the set's light."""
    cover = alpha[..., None]
    inside = alpha > 0.5
    colour, behind = (np.log(np.maximum(rgb, 1e-4)) for rgb in (premultiplied / np.maximum(cover, 1e-3), around))
    mean, spread = colour[inside].mean(0), colour[inside].std(0) + 0.1
    graded = np.exp((colour - mean) * (0.7 + 0.3 * behind.std((0, 1)) / spread) + behind.mean((0, 1)))
    rim = cover * (1 - cv2.GaussianBlur(alpha, (0, 0), 6)[..., None]) * cv2.GaussianBlur(around, (0, 0), 10)
    return (graded * cover + 0.35 * rim).astype(np.float32)


def leaves(rng: Rng, plate: Array, count: int) -> list[Array]:
    """The set in as many frames: half of it moves as leaves do, by up to four pixels, and flickers in the light."""
    height, width = plate.shape[:2]
    fields = [noise(rng, width, rng.uniform(12, 40), 3)[:height] for _ in range(2)]
    where = np.clip(noise(rng, width, width / 2)[:height] * 4 + 0.5, 0, 1)[..., None] * np.float32(rng.uniform(1.5, 4))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = []
    for frame in range(count):
        turn = 2 * np.pi * frame / 7
        field = np.asarray((fields[0] * np.sin(turn + 1) + fields[1] * np.cos(turn)) * where, np.float32)
        warped = cv2.remap(plate, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        moved.append((np.maximum(warped, 0) * np.exp(0.06 * field[..., 2:])).astype(np.float32))
    return moved


def make(folder: Path, assets: Path) -> None:
    """Write all shots, each with its truth."""
    photos = [photo for photo, held_out in load_photos(assets) if held_out]
    seed = FIRST_SEED
    for group, count in GROUPS.items():
        for number in range(count):
            rng = np.random.default_rng(seed)
            made = shoot(rng, "locked-off", photos[number % len(photos)], [foreground(seed, photos)], SIZE, FRAMES)
            subjects = [harmonised(P, a, made.plate) for P, a in zip(made.foregrounds, made.alphas, strict=True)]
            sets = leaves(rng, made.plate, FRAMES)
            frames = [P + (1 - a[..., None]) * B for P, a, B in zip(subjects, made.alphas, sets, strict=True)]
            numbers = tuple(range(1001, 1001 + FRAMES))
            shot = Shot(f"{number}", group, "ACEScg", numbers, frames, made.plate, made.alphas, subjects, None)
            write_shot(folder / group / f"{number}", shot, {"seed": seed})
            seed += 1


def main() -> None:
    """Make, train, and print the errors of student and teacher, x1e3: on the shots themselves, and on the others."""
    assets, folder = Path(sys.argv[1]), Path(sys.argv[2])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    if not (folder / "others").exists():
        make(folder, assets)
    places = {
        "run.folder": folder / "run",
        "adversarial.shots": folder / "shots",
        "adversarial.labelled": folder / "shots",
    }
    settings = [*(f"{key}='{place}'" for key, place in places.items()), *sys.argv[3:]]
    began = time.process_time()
    run_training(Path("platenet_adversarial"), settings, fresh=True)
    print(f"{time.process_time() - began:.0f} s of the processor")
    for line in (folder / "run" / "log.jsonl").read_text().splitlines():
        print(line)
    others = begin(
        load_config(Path("platenet_adversarial"), [*settings, f"adversarial.labelled='{folder / 'others'}'"])
    )
    print("others", others.recipe.validate(averaged(others)))


if __name__ == "__main__":
    main()
