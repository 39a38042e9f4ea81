"""What `platekey-engine evaluate` does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from engine.errors import EngineError
from engine.evaluation.evaluate import Evaluation, evaluate
from engine.evaluation.keyers import Keyer, ModelKeyer, open_session
from engine.evaluation.libraries import require_libraries
from engine.evaluation.opponents import ClosedFormOpponent, DifferenceOpponent, MaskOpponent, PlacedPlates
from engine.evaluation.robustness import curves
from engine.evaluation.shot_folder import find_shots, read_shot
from engine.network import device as devices
from engine.network.table import card
from engine.pipeline.session import Session

log = logging.getLogger(__name__)

OPPONENTS: dict[str, tuple[Callable[[PlacedPlates, Path], Keyer], str]] = {
    "difference": (
        lambda plates, _: DifferenceOpponent(plates),
        "a difference keyer, its light, norm, filter, offset and gain tuned on the true alpha of each shot: an upper "
        "bound of what it can do, which nobody reaches without the truth",
    ),
    "closed-form": (
        ClosedFormOpponent,
        "closed-form matting (PyMatting) on an automatic trimap from the plate difference, shadows allowed for, frame "
        "by frame",
    ),
    "mask": (
        lambda plates, _: MaskOpponent(plates),
        "a hard mask from the plate difference, shadows allowed for: what a segmenter's answer is worth as a matte",
    ),
}
"""Name -> how it is made, and what it is."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes:
        folder: of the shots.
        out: of the report and of mattes kept for the next time; ``evaluation`` in ``folder`` if None.
        models: networks, by name.
        opponents: names of `OPPONENTS`.
        robustness: measure the curves too.
        device: of the networks.
        threads: on the CPU; 0 is torch's choice.
    """

    folder: Path
    out: Path | None = None
    models: Sequence[str] = ("platenet",)
    opponents: Sequence[str] = ("difference", "closed-form")
    robustness: bool = False
    device: str = "auto"
    threads: int = 0


def run_evaluation(options: Options) -> list[Path]:
    """Measure every method on every shot and write the report.

    Returns:
        The report's files.

    Raises:
        EngineError: for shots, models, opponents or a device that are not there; UNSUPPORTED without the libraries.
    """
    require_libraries()
    # Imported here: it draws on those libraries.
    report = import_module("engine.evaluation.report")
    folders = find_shots(options.folder)
    device = devices.choose(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    out = options.out or options.folder / "evaluation"
    methods = _methods(options, open_session(device), out / "cache")
    keyers = [keyer for keyer, _ in methods]
    rows, tiles = evaluate(folders, keyers)
    clean = [folder for folder in folders if folder.clean] or folders
    points = list(curves([read_shot(folder) for folder in clean], keyers)) if options.robustness else []
    notes = {keyer.name: note for keyer, note in methods}
    paths: list[Path] = report.write_report(
        out, Evaluation(rows, tiles, points, len(clean), notes, devices.name(device))
    )
    for path in paths:
        log.info("Wrote %s", path)
    return paths


def _methods(options: Options, session: Session, cache: Path) -> list[tuple[Keyer, str]]:
    """Keyers in the order asked for, each with what it is."""
    networks = [(ModelKeyer(name, session), _network_note(name)) for name in options.models]
    unknown = [name for name in options.opponents if name not in OPPONENTS]
    if unknown:
        step = f"Choose from: {', '.join(OPPONENTS)}."
        raise EngineError("BAD_REQUEST", f"There is no opponent {unknown[0]!r}.", step)
    plates = PlacedPlates()
    opponents = [(OPPONENTS[name][0](plates, cache), OPPONENTS[name][1]) for name in options.opponents]
    if not networks and not opponents:
        raise EngineError("BAD_REQUEST", "There is nothing to measure.", "Name at least one model or opponent.")
    return [*networks, *opponents]


def _network_note(name: str) -> str:
    model = card(name)
    size = model.parameters / 1e6
    return f"the whole pipeline with its knobs as they come, {size:.1f} M parameters, weights {model.sha256[:12]}"
