"""The models as a list: those on this machine, and those that PlateKey could use if their weights were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.network.architectures import ARCHITECTURES
from engine.network.table import PERMISSIVE, ModelCard, models


@dataclass(frozen=True)
class Entry:
    """A line of the list of models; fields as in `ModelCard`.

    Attributes:
        size: bytes of the weights file; of one that is not here, what its values take in float32.
        present: the weights are on this machine.
        options: how it is run, where that is not as usual.
    """

    name: str
    architecture: str
    parameters: int
    licence: str
    commercial_use: bool
    size: int
    sha256: str
    origin: str
    present: bool
    options: Mapping[str, str] = field(default_factory=dict)


def entries() -> list[Entry]:
    """All models that are here, and the known ones that are not, by name."""
    here = [_entry(card) for card in models().values()]
    named = {entry.name for entry in here}
    absent = [
        Entry(
            name, name, kind.parameters(), kind.licence, kind.licence in PERMISSIVE, kind.size(), "", kind.origin, False
        )
        for name, kind in ARCHITECTURES.items()
        if name not in named
    ]
    return sorted(here + absent, key=lambda entry: entry.name)


def _entry(card: ModelCard) -> Entry:
    return Entry(
        name=card.name,
        architecture=card.architecture,
        parameters=card.parameters,
        licence=card.licence,
        commercial_use=card.commercial_use,
        size=card.size,
        sha256=card.sha256,
        origin=card.origin,
        present=card.size > 0,
        options=card.options,
    )


def as_table(listed: Iterable[Entry]) -> str:
    """The list as text, one line a model."""
    rows: list[tuple[str, ...]] = [("model", "parameters", "licence", "commercial", "size", "sha256", "weights")]
    rows += [_row(entry) for entry in listed]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.name,
        f"{entry.parameters:,}",
        entry.licence,
        "yes" if entry.commercial_use else "no",
        f"{entry.size / 1e6:.1f} MB",
        entry.sha256[:12] if entry.present else "-",
        (entry.origin if entry.present else f"get {entry.origin}") + _options(entry),
    )


def _options(entry: Entry) -> str:
    said = ", ".join(f"{name}={value}" for name, value in entry.options.items())
    return f"; run with {said}" if said else ""
