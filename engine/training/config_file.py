"""From a TOML file to a `Config`: every fault is one sentence that names the key."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from engine.errors import EngineError
from engine.training.config import RECIPES, Config, Range, Run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLES = Path(__file__).with_name("configs")
"""Folder of the examples; `load_config` takes their bare names."""

_Table = dict[str, Any]
_T = TypeVar("_T")


def load_config(file: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a run's configuration.

    Args:
        file: a TOML file of a table ``[run]`` and the table of one recipe, or the bare name of an example. Paths in it
            are relative to the working folder.
        overrides: ``table.key=value`` each, the value in TOML's spelling; a word needs no quotes.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST for what is no TOML, for an unknown, missing or wrong key.
    """
    tables = _read(file)
    for override in overrides:
        _override(tables, override)
    run, name = _one_recipe(tables, file)
    config = Config(_build(Run, run, "run"), _build(RECIPES[name], tables[name], name))
    if bool(config.run.hours) == bool(config.run.steps):
        raise _refusal("[run] must state either hours or steps.", "Set one of them above 0.")
    return config


def _read(file: Path) -> dict[str, _Table]:
    path = EXAMPLES / f"{file}.toml" if file.name == str(file) and not file.suffix else file
    if not path.is_file():
        examples = ", ".join(sorted(example.stem for example in EXAMPLES.glob("*.toml")))
        message = f"There is no configuration {file}."
        raise EngineError("FILE_MISSING", message, f"Name a TOML file, or one of the examples: {examples}.")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refusal(f"{path} is not TOML: {error}.", "Correct it there.") from error
    loose = [name for name, value in tables.items() if not isinstance(value, dict)]
    if loose:
        raise _refusal(f"{path}: {', '.join(loose)} must stand in a table.", "Write it below [run].")
    return tables


def _override(tables: dict[str, _Table], text: str) -> None:
    place, equals, value = text.partition("=")
    table, dot, key = place.strip().partition(".")
    if not (equals and dot and table and key):
        raise _refusal(f"'{text}' is no override.", "Write it as table.key=value, for instance run.hours=3.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    tables.setdefault(table, {})[key] = parsed


def _one_recipe(tables: dict[str, _Table], file: Path) -> tuple[_Table, str]:
    """The table of the run, and the name of the one recipe."""
    unknown = tables.keys() - RECIPES.keys() - {"run"}
    if unknown:
        raise _refusal(f"{file} has a table [{min(unknown)}].", _nearest(min(unknown), ["run", *RECIPES]))
    chosen = [name for name in RECIPES if name in tables]
    if len(chosen) != 1 or "run" not in tables:
        has = ", ".join(f"[{name}]" for name in tables) or "nothing"
        recipes = ", ".join(f"[{name}]" for name in RECIPES)
        raise _refusal(f"{file} has {has}.", f"It must have [run] and one of {recipes}.")
    return tables["run"], chosen[0]


def _build(kind: type[_T], table: _Table, name: str) -> _T:
    """A dataclass of a table."""
    hints = get_type_hints(kind, include_extras=True)
    for key in table.keys() - hints.keys():
        raise _refusal(f"[{name}] has no key {key!r}.", _nearest(key, hints))
    required = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    missing = [key for key in required if key not in table]
    if missing:
        raise _refusal(f"[{name}] must state {', '.join(missing)}.", f"Add it, or give --set {name}.{missing[0]}=...")
    return kind(**{key: _value(hints[key], value, f"{name}.{key}") for key, value in table.items()})


def _value(hint: Any, value: Any, place: str) -> Any:  # noqa: ANN401 - of whatever type the hint says
    """A TOML value as a field's type wants it."""
    if get_origin(hint) is Annotated:
        kind, bounds = get_args(hint)
        return _bounded(_value(kind, value, place), bounds, place)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise _refusal(f"{place} is {value!r}.", f"It must be one of: {', '.join(get_args(hint))}.")
        return value
    kind = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    written: Any = {Path: str, float: (float, int)}.get(kind, kind)
    if not isinstance(value, written) or isinstance(value, bool) is not (kind is bool):
        wanted = {Path: "a path in quotes", float: "a number", int: "a whole number", bool: "true or false"}
        raise _refusal(f"{place} is {value!r}.", f"It must be {wanted.get(kind, 'a text in quotes')}.")
    return Path(value).expanduser() if kind is Path else kind(value)


def _bounded(value: float, bounds: Range, place: str) -> float:
    # Said the other way round a NaN would pass.
    if not bounds.low <= value <= bounds.high or (bounds.step and value % bounds.step):
        limits = f"at least {bounds.low:g}" + (f" and at most {bounds.high:g}" if bounds.high < float("inf") else "")
        limits += f", a multiple of {bounds.step}" if bounds.step else ""
        raise _refusal(f"{place} is {value:g}.", f"It must be {limits}.")
    return value


def _nearest(wrong: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Choose from: {', '.join(known)}."


def _refusal(message: str, step: str) -> EngineError:
    return EngineError("BAD_REQUEST", message, step)
