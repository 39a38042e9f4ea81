"""The knobs: declared once, in the proto; checked here against those declarations."""

from __future__ import annotations

from typing import Any, Literal, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from engine.errors import EngineError
from engine.settings import Knobs
from host_bridge.wire.v1 import knob_pb2, matte_pb2


def knobs(message: matte_pb2.Knobs, auto_precision: Literal["float", "half"]) -> Knobs:
    """Return every knob set: as sent, or as first declared.

    Args:
        message: the knobs of a request.
        auto_precision: what the device's choice of precision is.

    Raises:
        EngineError: BAD_REQUEST, naming the knob, its value and what is accepted.
    """
    fields = cast("list[FieldDescriptor]", message.DESCRIPTOR.fields)
    values = {field.name: _value(message, field) for field in fields if not declaration(field).merge_only}
    if values["precision"] == "auto":
        values["precision"] = auto_precision
    if values["black_point"] >= values["white_point"]:
        raise _refusal("black_point", values["black_point"], f"a value below white_point {values['white_point']:g}")
    return Knobs(**values)


def declaration(field: FieldDescriptor) -> knob_pb2.Knob:
    """Return what the proto says of a knob: range, initial value, unit."""
    return field.GetOptions().Extensions[knob_pb2.knob]  # type: ignore[index]


def _value(message: matte_pb2.Knobs, field: FieldDescriptor) -> Any:  # noqa: ANN401 - text, number or choice
    declared = declaration(field)
    if field.enum_type is not None:
        return _choice(message, field, field.enum_type, declared)
    if field.type == FieldDescriptor.TYPE_STRING:
        return getattr(message, field.name) if message.HasField(field.name) else declared.initial_text
    if not message.HasField(field.name):
        return type(getattr(message, field.name))(declared.initial)
    value = getattr(message, field.name)
    if not declared.low <= value <= declared.high:
        raise _refusal(field.name, value, f"{declared.low:g} to {declared.high:g} {declared.unit}".rstrip())
    return value


def _choice(message: matte_pb2.Knobs, field: FieldDescriptor, choices: EnumDescriptor, declared: knob_pb2.Knob) -> str:
    """Return the last word of a choice's name in small letters, as `engine.settings.Knobs` spells it."""
    names = {value.number: value.name for value in choices.values if value.number}
    number = getattr(message, field.name)
    if not message.HasField(field.name):
        return word(declared.initial_text)
    if number not in names:
        raise _refusal(field.name, number, f"one of {', '.join(names.values())}")
    return word(names[number])


def word(name: str) -> str:
    """The last word of an enum value's name, in small letters."""
    return name.rpartition("_")[2].lower()


def _refusal(name: str, value: object, accepted: str) -> EngineError:
    return EngineError(
        "BAD_REQUEST", f"Knob {name} is {value}; accepted is {accepted}.", "Change the knob.", knob=name, value=value
    )
