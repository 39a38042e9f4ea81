"""Every keyer on every shot: figures by shot, means by group, and pictures of the mattes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.evaluation.figures import Figures, average, measure
from engine.evaluation.keyers import Keyed, Keyer
from engine.evaluation.pictures import Picture, shown, shown_data
from engine.evaluation.robustness import Point
from engine.evaluation.shot import Shot
from engine.evaluation.shot_folder import ShotFolder, read_shot

log = logging.getLogger(__name__)

ALL = "all"
"""Name of the group of all shots."""


@dataclass(frozen=True)
class Row:
    """What one keyer did with one shot, or with a group of them.

    Attributes:
        group: of the shots.
        shot: its name; empty for a group.
        method: name of the keyer.
        figures: of the shot, or means over the group's shots.
        frames: number of them.
        refusals: why frames were not keyed, a sentence a frame.
    """

    group: str
    shot: str
    method: str
    figures: Figures
    frames: int
    refusals: tuple[str, ...] = ()


Tiles = dict[str, list[Picture]]
"""Title -> pictures of the middle frames, one a shot."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and how.

    Attributes:
        rows: one a shot and method.
        tiles: frames, true alphas and mattes.
        points: of the robustness curves; empty where they were not asked for.
        clean: number of shots behind the curves.
        methods: method -> what it is, a sentence.
        device: that the networks ran on.
    """

    rows: Sequence[Row]
    tiles: Tiles
    points: Sequence[Point]
    clean: int
    methods: Mapping[str, str]
    device: str


def evaluate(folders: Sequence[ShotFolder], keyers: Sequence[Keyer]) -> tuple[list[Row], Tiles]:
    """Key and measure all shots.

    Returns:
        A row for each shot and keyer; and the middle frames, their true alphas, and each keyer's.

    Raises:
        EngineError: whatever is wrong with a shot's files.
    """
    rows: list[Row] = []
    tiles: Tiles = {title: [] for title in ("frame", "truth", *(keyer.name for keyer in keyers))}
    for number, folder in enumerate(folders, 1):
        shot = read_shot(folder)
        keyed = {keyer.name: keyer.key(shot, "auto") for keyer in keyers}
        made = [_row(shot, name, frames) for name, frames in keyed.items()]
        said = ", ".join(f"{row.method} {row.figures['mad']:.2f}" for row in made)
        log.info("Shot %d of %d, %s, MAD e3: %s", number, len(folders), shot.name, said)
        rows += made
        for title, picture in _pictures(shot, keyed):
            tiles[title].append(picture)
    return rows, tiles


def group_means(rows: Sequence[Row]) -> list[Row]:
    """A row for each group and keyer, those of `ALL` shots last where there are several groups."""
    groups = list(dict.fromkeys(row.group for row in rows))
    members = {name: [row for row in rows if row.group == name] for name in groups}
    if len(groups) > 1:
        members[ALL] = list(rows)
    return [mean for name, own in members.items() for mean in _means(name, own)]


def _row(shot: Shot, method: str, keyed: Sequence[Keyed]) -> Row:
    refusals = tuple(one.refused for one in keyed if one.refused)
    return Row(shot.group, shot.name, method, measure(shot, keyed), len(keyed), refusals)


def _means(group: str, rows: Sequence[Row]) -> Iterator[Row]:
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        refusals = tuple(sentence for row in own for sentence in row.refusals)
        yield Row(group, "", method, average([row.figures for row in own]), sum(row.frames for row in own), refusals)


def _pictures(shot: Shot, keyed: dict[str, list[Keyed]]) -> Iterator[tuple[str, Picture]]:
    middle = len(shot.frames) // 2
    yield "frame", shown(shot.frames[middle], shot.space)
    yield "truth", shown_data(shot.alphas[middle])
    for method, frames in keyed.items():
        yield method, shown_data(frames[middle].alpha)
