"""The comparison of the article, made again: ``python tests/bench/comparison.py --bgm2020 FILE --samples FOLDER``.

It keys generated shots with a hard mask, a tuned difference keyer, closed-form matting on an automatic trimap, the 2020
network (weights of one's own, from ``platekey-engine export``; left out without ``--bgm2020``) and PlateNet; then it
writes the tables of ``docs/comparison.md`` anew, and its pictures. With ``--samples`` it keys the sample photographs
too, of which no picture is kept. Shots and closed-form mattes are kept in ``--work``: later calls take minutes less.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from comparison_shots import FOUNTAIN, SHADED, all_shots, empty_clip
from exr_files import source_of

from engine.evaluation.delivered import read_channels
from engine.evaluation.difference_keyer import DifferenceKeyer, tune
from engine.evaluation.evaluate import Row, group_means
from engine.evaluation.figures import measure
from engine.evaluation.keyers import Keyed, ModelKeyer, open_session
from engine.evaluation.opponents import ClosedFormOpponent, DifferenceOpponent, MaskOpponent, PlacedPlates
from engine.evaluation.pictures import evening_room, sheet, shown, shown_data, write_picture
from engine.evaluation.shot import Shot, exr
from engine.evaluation.shot_folder import read_shot
from engine.network import library
from engine.network.table import card
from engine.pipeline.colour import SHIPPED
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.scratch import scratch_folder
from engine.settings import FrameJob, Knobs, MatteJob, plate_set
from engine.synthesis.faults import linearise
from engine.values import Plate

NAMES = {
    "ideal mask": "hard mask of the truth",
    "mask": "hard mask",
    "difference": "background subtraction",
    "closed-form": "closed form on a trimap",
    "bgm2020": "2020 network, as trained here",
    "platenet": "PlateNet",
    "platenet, clip": "PlateNet, clip of the empty set",
}
"""Methods as the page calls them."""

COLUMNS = (("mad", 1), ("mse", 1), ("band_mad", 0), ("grad", 2), ("conn", 2), ("dtssd", 1), ("premultiplied", 2))
TITLES = ("MAD e3", "MSE e3", "band MAD e3", "Grad e-3", "Conn e-3", "dtSSD e2", "P MSE e3")

TILE = 236

# Of the sample photographs at 1920 x 1080: (top, bottom, left, right) of places whose matte anybody can tell.
SOLID = {
    "0001": ((480, 640, 730, 900), (820, 1040, 650, 1000), (330, 390, 700, 880)),
    "1000": ((470, 580, 660, 740), (840, 1040, 650, 1000), (380, 520, 760, 920)),
}
EMPTY = ((60, 200, 60, 1100), (120, 500, 1180, 1260), (700, 1000, 40, 440), (500, 900, 1560, 1800))
REDUCED = 3
"""The photographs are so many times smaller here, so that closed form ends in time."""

# Of the demo shot at 640 x 360: rows and columns of the close-up.
CLOSE = np.s_[35:155, 130:343]


@dataclass(frozen=True)
class FixedDifference:
    """Background subtraction where no truth is known: one setting for all, tuned on all generated shots together."""

    plates: PlacedPlates
    setting: DifferenceKeyer
    name: str = "difference"

    def key(self, shot: Shot, mode) -> list[Keyed]:
        """Key every frame."""
        placed = self.plates.of(shot, mode)
        return [Keyed(self.setting.key(f, p.rgb), f) for f, p in zip(shot.frames, placed, strict=True)]


@dataclass(frozen=True)
class ClipKeyer:
    """PlateNet with a clip of the empty, moving set instead of one picture of it."""

    session: object
    name: str = "platenet, clip"

    def key(self, shot: Shot, mode) -> list[Keyed]:
        """Key every frame of a fountain shot."""
        files = [exr(rgb, half=True) for rgb in empty_clip(int(Path(shot.name).name))]
        clip = [source_of(data, f"plate.{index}.exr", shot.space) for index, data in enumerate(files)]
        job = MatteJob(Knobs(), ("shadow_ratio", "uncertainty"), SHIPPED, shot.space, "cpu")
        return [self._key(job, shot, index, plate_set("moving", tuple(clip))) for index in range(len(shot.frames))]

    def _key(self, job: MatteJob, shot: Shot, index: int, plate) -> Keyed:
        task = FrameJob(shot.numbers[index], source_of(exr(shot.frames[index]), "frame.exr", shot.space), plate)
        data, _ = matte_frame(job, task, self.session, lambda _: None, lambda: False)
        with scratch_folder() as folder:
            (folder / "keyed.exr").write_bytes(data)
            channels, _ = read_channels(folder / "keyed.exr")
        P, s = (np.stack([channels[prefix + name] for name in "RGB"], axis=2) for prefix in ("", "shadow_ratio."))
        return Keyed(channels["A"], P, s, channels["uncertainty.Y"])


Tried = list[tuple[Shot, dict[str, list[Keyed]]]]


def main() -> None:
    """Make everything."""
    given = _arguments()
    began = time.monotonic()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLATEKEY_HOME"] = home
        models = ["platenet"]
        if given.bgm2020:
            library.add(given.bgm2020, "bgm2020", "Apache-2.0", {"size": str(given.size)})
            models.insert(0, "bgm2020")
        tried = _key_all(given, models)
        blocks = {"figures": [*_table(_rows(tried)), "", _made_of(tried)], "shadow": _shadows(tried)}
        _draw(tried, given.page.parent / "pictures")
        if given.samples:
            blocks["photographs"] = _photographs(given, models, tried)
    _write_blocks(given.page, blocks)
    print(f"{time.monotonic() - began:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=ROOT / "work" / "assets")
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "comparison")
    parser.add_argument("--bgm2020", type=Path)
    parser.add_argument("--size", type=int, default=256, help="px that the 2020 network sees; it learned from 128.")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--only", default="", help="Groups of shots, commas between, to try things out.")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "comparison.md", help="Pictures lie beside it.")
    parser.add_argument("--frames", type=int, default=2, help="Of a shot, its middle ones.")
    return parser.parse_args()


def _keyers(given: argparse.Namespace, models: Sequence[str]) -> list:
    plates, session = PlacedPlates(), open_session("cpu")
    opponents = [
        MaskOpponent(plates, ideal=True, name="ideal mask"),
        MaskOpponent(plates),
        DifferenceOpponent(plates),
        ClosedFormOpponent(plates, given.work / "closed-form"),
    ]
    return [*opponents, *(ModelKeyer(name, session) for name in models)]


def _key_all(given: argparse.Namespace, models: Sequence[str]) -> Tried:
    keyers, tried = _keyers(given, models), []
    for folder in all_shots(given.work / "shots", given.assets):
        if given.only and folder.group not in given.only.split(","):
            continue
        shot = _shortened(read_shot(folder), given.frames)
        own = [*keyers, ClipKeyer(open_session("cpu"))] if shot.group == FOUNTAIN else keyers
        tried.append((shot, {keyer.name: keyer.key(shot, "auto") for keyer in own}))
        print(f"{shot.group} {shot.name}", flush=True)
    return tried


def _shortened(shot: Shot, count: int) -> Shot:
    """The middle frames of a shot."""
    first = (len(shot.frames) - count) // 2 if count < len(shot.frames) else 0
    kept = slice(first, first + count)
    return replace(
        shot, numbers=shot.numbers[kept], frames=shot.frames[kept], alphas=shot.alphas[kept],
        foregrounds=shot.foregrounds[kept], shadows=shot.shadows[kept] if shot.shadows else None,
    )  # fmt: skip


def _rows(tried: Tried) -> list[Row]:
    rows = []
    for shot, keyed in tried:
        for name, frames in keyed.items():
            refusals = tuple(one.refused for one in frames if one.refused)
            rows.append(Row(shot.group, shot.name, name, measure(shot, frames), len(frames), refusals))
    return [row for row in group_means(rows) if row.group != "all"]


def _table(rows: Sequence[Row]) -> list[str]:
    lines = ["| shots | method | " + " | ".join(TITLES) + " |", "|---" * (2 + len(TITLES)) + "|"]
    for row in rows:
        rivals = [other for other in rows if other.group == row.group and other.method != "ideal mask"]
        cells = [_cell(row, key, digits, rivals) for key, digits in COLUMNS]
        refused = f", {len(row.refusals)} frames refused" if row.refusals else ""
        lines.append(f"| {row.group} | {NAMES[row.method]}{refused} | " + " | ".join(cells) + " |")
    return lines


def _made_of(tried: Tried) -> str:
    frames = sum(len(shot.frames) for shot, _ in tried)
    return f"{len(tried)} shots, {frames} frames; PlateNet's weights {card('platenet').sha256[:12]}."


def _cell(row: Row, key: str, digits: int, rivals: Sequence[Row]) -> str:
    value = row.figures[key]
    if value is None:
        return "–"
    best = min(other.figures[key] for other in rivals if other.figures[key] is not None)
    text = f"{value:.{digits}f}"
    return f"**{text}**" if row in rivals and value == best else text


def _shadows(tried: Tried) -> list[str]:
    """How much of a shadow lies in the matte, and how much in the layer that is meant for it."""
    lines = ["| shot | method | mean alpha in the shadow | error of the shadow ratio there |", "|---|---|---|---|"]
    for shot, keyed in tried:
        if shot.group != SHADED:
            continue
        for name, frames in keyed.items():
            if name == "ideal mask":
                continue
            where = [(s.mean(2) < 0.8) & (a < 0.01) for s, a in zip(shot.shadows, shot.alphas, strict=True)]
            alpha = np.mean([one.alpha[place].mean() for one, place in zip(frames, where, strict=True)])
            off = "–"
            if all(one.shadow is not None for one in frames):
                parts = zip(frames, shot.shadows, where, strict=True)
                off = f"{np.mean([np.abs(one.shadow - truth)[place].mean() for one, truth, place in parts]):.3f}"
            lines.append(f"| {Path(shot.name).name} | {NAMES[name]} | {alpha:.3f} | {off} |")
    return lines


def _draw(tried: Tried, folder: Path) -> None:
    methods = [name for name in tried[0][1] if name != "ideal mask"]
    plain = [pair for pair in tried if pair[0].group not in (SHADED, FOUNTAIN)]
    hard = [pair for pair in tried if pair[0].group in (SHADED, FOUNTAIN)]
    _save(folder / "comparison_mattes.webp", _columns(plain, methods))
    columns = _columns(hard, methods)
    columns["PlateNet's way out"] = [_way_out(shot, keyed) for shot, keyed in hard]
    _save(folder / "comparison_failures.webp", columns)
    for shot, keyed in tried:
        if shot.group == "demo":
            _save(folder / "comparison_composites.webp", _composites(shot, keyed, methods))


def _columns(pairs: Tried, methods: Sequence[str]) -> dict[str, list]:
    middle = [len(shot.frames) // 2 for shot, _ in pairs]
    columns = {"frame": [shown(shot.frames[i], shot.space) for (shot, _), i in zip(pairs, middle, strict=True)]}
    columns["truth"] = [shown_data(shot.alphas[i]) for (shot, _), i in zip(pairs, middle, strict=True)]
    for name in methods:
        columns[NAMES[name]] = [shown_data(keyed[name][i].alpha) for (_, keyed), i in zip(pairs, middle, strict=True)]
    return columns


def _way_out(shot: Shot, keyed: dict[str, list[Keyed]]):
    """The shadow's own layer; or, before a moving set, the matte with a clip of it."""
    middle = len(shot.frames) // 2
    if shot.group == SHADED:
        return shown_data(keyed["platenet"][middle].shadow.mean(2))
    return shown_data(keyed["platenet, clip"][middle].alpha)


def _composites(shot: Shot, keyed: dict[str, list[Keyed]], methods: Sequence[str]) -> dict[str, list]:
    """Whole and close, over a new background, by each method's own foreground and shadow."""
    middle, behind = len(shot.frames) // 2, evening_room(shot.plate.shape[:2])
    pictures = {"frame": shot.frames[middle]}
    truth = shot.alphas[middle][..., None]
    pictures["truth"] = shot.foregrounds[middle] + (1 - truth) * shot.shadows[middle] * behind
    for name in methods:
        one = keyed[name][middle]
        ratio = 1.0 if one.shadow is None else one.shadow
        pictures[NAMES[name]] = one.premultiplied + (1 - one.alpha[..., None]) * ratio * behind
    return {title: [shown(light), shown(np.ascontiguousarray(light[CLOSE]))] for title, light in pictures.items()}


def _save(path: Path, columns: dict[str, list]) -> None:
    if not columns["frame"]:
        return
    picture = sheet(columns, TILE)
    whole, data = cv2.imencode(".webp", picture[..., ::-1], (cv2.IMWRITE_WEBP_QUALITY, 82))
    if not whole:
        raise OSError(f"{path} could not be encoded.")
    path.write_bytes(data.tobytes())


def _photographs(given: argparse.Namespace, models: Sequence[str], tried: Tried) -> list[str]:
    """Figures of the sample photographs, whose truth is known in a few places only."""
    plates = PlacedPlates()
    setting = _common_setting(tried)
    keyers = _keyers(given, models)[1:]
    keyers[1] = FixedDifference(plates, setting)
    lines = ["| photograph | method | holes e3 | dirt e3 | soft, % of the frame |", "|---|---|---|---|---|"]
    for name, solid in SOLID.items():
        shot = _photograph(given.samples, name)
        for keyer in keyers:
            one = keyer.key(shot, "auto")[0]
            holes, dirt = 1 - _mean(one.alpha, solid), _mean(one.alpha, EMPTY)
            soft = 100 * float(((one.alpha > 0.02) & (one.alpha < 0.98)).mean())
            lines.append(f"| {name} | {NAMES[keyer.name]} | {1e3 * holes:.1f} | {1e3 * dirt:.1f} | {soft:.1f} |")
            if os.environ.get("COMPARISON_LOOK"):
                write_picture(Path(os.environ["COMPARISON_LOOK"]) / f"{name}_{keyer.name}.png", shown_data(one.alpha))
    return lines


def _common_setting(tried: Tried) -> DifferenceKeyer:
    frames, placed, alphas = [], [], []
    for shot, _ in tried:
        if shot.group in (SHADED, FOUNTAIN):
            continue
        for index, plate in enumerate(PlacedPlates().of(shot, "auto")):
            if isinstance(plate, Plate):
                frames.append(shot.frames[index])
                placed.append(plate.rgb)
                alphas.append(shot.alphas[index])
    return tune(frames, placed, alphas)


def _photograph(folder: Path, name: str) -> Shot:
    frame, plate = (_linear(folder / f"{name}_{kind}.png") for kind in ("img", "back"))
    nothing = np.zeros(frame.shape[:2], np.float32)
    return Shot(name, "photographs", "lin_rec709", (1,), [frame], plate, [nothing], [np.zeros_like(frame)], None)


def _linear(path: Path) -> np.ndarray:
    linear = linearise(cv2.imread(str(path))[..., ::-1])
    return cv2.resize(linear, None, fx=1 / REDUCED, fy=1 / REDUCED, interpolation=cv2.INTER_AREA)


def _mean(alpha: np.ndarray, boxes) -> float:
    pieces = [alpha[t // REDUCED : b // REDUCED, left // REDUCED : right // REDUCED] for t, b, left, right in boxes]
    return float(np.mean([piece.mean() for piece in pieces]))


def _write_blocks(page: Path, blocks: dict[str, list[str]]) -> None:
    text = page.read_text(encoding="utf-8")
    for name, lines in blocks.items():
        pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{page} has no place for {name}.")
        text = pattern.sub(lambda found, lines=lines: found[1] + "\n".join(lines) + "\n" + found[2], text)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
