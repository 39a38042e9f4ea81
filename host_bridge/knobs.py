"""The node's knobs as the proto declares them: what a host draws, the command line offers, and a request carries."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from host_bridge.errors import BridgeError
from host_bridge.wire.v1 import knob_pb2, matte_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["number", "whole", "switch", "text", "choice"]

_KINDS: dict[int, Kind] = {
    FieldDescriptor.CPPTYPE_FLOAT: "number",
    FieldDescriptor.CPPTYPE_DOUBLE: "number",
    FieldDescriptor.CPPTYPE_INT32: "whole",
    FieldDescriptor.CPPTYPE_BOOL: "switch",
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_ENUM: "choice",
}

_PYTHON: dict[Kind, type] = {"number": float, "whole": int, "switch": bool, "text": str}


@dataclass(frozen=True)
class Choice:
    """One value of a choice.

    Attributes:
        name: spelling in options and messages: ``auto``.
        label: as the artist sees it.
        number: the enum value.
    """

    name: str
    label: str
    number: int


@dataclass(frozen=True)
class KnobSpec:
    """A knob, as `Knob` in ``knob.proto`` describes it.

    Attributes:
        name: field name in ``Knobs``.
        kind: what its value is.
        initial: value of a knob never touched; a choice by its name.
        low: smallest value; 0 with ``high`` 0 where the kind has no range.
        high: largest value.
        merge_only: acts where the host merges; never sent.
    """

    name: str
    label: str
    help: str
    unit: str
    kind: Kind
    initial: float | bool | str
    low: float
    high: float
    choices: tuple[Choice, ...]
    merge_only: bool


@lru_cache(maxsize=1)
def knob_specs() -> tuple[KnobSpec, ...]:
    """Every knob, in the proto's order."""
    return tuple(_spec(field) for field in matte_pb2.Knobs.DESCRIPTOR.fields)


def knobs_as_json() -> list[dict[str, object]]:
    """`knob_specs` as plain values, for hosts."""
    return [asdict(spec) for spec in knob_specs()]


def build_knobs(values: Mapping[str, object]) -> matte_pb2.Knobs:
    """A message with every knob set but the merge-only ones; the cache key needs the defaults in it.

    Args:
        values: value by knob name; None and absent mean untouched. Choices by name.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an unknown knob, a value of the wrong kind or out of range.
    """
    specs = {spec.name: spec for spec in knob_specs()}
    if unknown := sorted(values.keys() - specs.keys()):
        raise _bad(f"There is no knob named {', '.join(unknown)}.", f"The knobs are {', '.join(specs)}.")
    sent = {name: spec for name, spec in specs.items() if not spec.merge_only}
    message = matte_pb2.Knobs()
    for name, spec in sent.items():
        given = values.get(name)
        setattr(message, name, _checked(spec, spec.initial if given is None else given))
    return message


@lru_cache(maxsize=1)
def layer_names() -> tuple[str, ...]:
    """Names of the layers beside the main one, in the order of the file."""
    values = matte_pb2.Layer.DESCRIPTOR.values
    return tuple(value.name.lower() for value in values if value.number)


DEFAULT_LAYERS: tuple[str, ...] = ("shadow", "residual", "shadow_ratio", "uncertainty", "difference", "validity")
"""What an empty list of layers means, by ``MatteSetup.layers``.

The engine knows it too. It is spelt out here so that the key and the command line's help show what is asked for, and
so that stating the usual layers is the same request as stating none.
"""


def build_layers(names: Iterable[str]) -> list[str]:
    """The wire's names of layers, each once and in the order of the file; none given means `DEFAULT_LAYERS`.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an unknown name.
    """
    wanted = set(names) or set(DEFAULT_LAYERS)
    if unknown := sorted(wanted - set(layer_names())):
        raise _bad(f"There is no layer named {', '.join(unknown)}.", f"The layers are {', '.join(layer_names())}.")
    return [name.upper() for name in layer_names() if name in wanted]


def _spec(field: Any) -> KnobSpec:  # noqa: ANN401 - either of protobuf's two descriptor classes
    declared = _declared(field, knob_pb2.knob)
    kind = _KINDS[field.cpp_type]
    enum = field.enum_type
    choices = _choices(enum) if enum else ()
    initial: float | bool | str = declared.initial_text
    if enum:
        number = enum.values_by_name[declared.initial_text].number
        initial = next(choice.name for choice in choices if choice.number == number)
    elif kind != "text":
        initial = _PYTHON[kind](declared.initial)
    return KnobSpec(
        name=field.name,
        label=declared.label,
        help=declared.help,
        unit=declared.unit,
        kind=kind,
        initial=initial,
        low=declared.low,
        high=declared.high,
        choices=choices,
        merge_only=declared.merge_only,
    )


def _declared(owner: Any, extension: Any) -> Any:  # noqa: ANN401 - the generated stubs mistype extensions
    return owner.GetOptions().Extensions[extension]


def _choices(enum: EnumDescriptor) -> tuple[Choice, ...]:
    """The labelled values, without the words that all their names begin with: ``DEPTH_HALF`` is ``half``."""
    labels = {value: _declared(value, knob_pb2.choice) for value in enum.values}
    offered = [value for value in enum.values if labels[value]]
    words = zip(*(value.name.split("_") for value in offered), strict=False)
    shared = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, words))
    names = ("_".join(value.name.split("_")[shared:]).lower() for value in offered)
    return tuple(Choice(name, labels[value], value.number) for name, value in zip(names, offered, strict=True))


def _checked(spec: KnobSpec, value: object) -> object:
    if spec.kind == "choice":
        numbers = {choice.name: choice.number for choice in spec.choices}
        if value not in numbers:
            raise _bad(f"{spec.label} cannot be '{value}'.", f"Choose one of {', '.join(numbers)}.")
        return numbers[str(value)]
    if spec.kind == "text":
        return str(value)
    if spec.kind == "switch":
        return bool(value)
    return _in_range(spec, value)


def _in_range(spec: KnobSpec, value: object) -> float:
    allowed = (int,) if spec.kind == "whole" else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        raise _bad(f"{spec.label} cannot be {value!r}.", f"Give a number from {spec.low:g} to {spec.high:g}.")
    if not spec.low <= value <= spec.high:
        raise _bad(f"{spec.label} {value:g} is out of range.", f"It runs from {spec.low:g} to {spec.high:g}.")
    return value


def _bad(message: str, next_step: str) -> BridgeError:
    return BridgeError("BAD_REQUEST", message, next_step)
