"""The wire's surface as data; run with ``PYTHONPATH=.`` it adds what is new to the frozen inventory."""

from __future__ import annotations

import json
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FileDescriptor

from host_bridge.wire.v1 import engine_pb2, error_pb2, image_pb2, job_pb2, knob_pb2, matte_pb2, plate_pb2

INVENTORY = Path(__file__).parents[1] / "contract" / "wire_v1.json"
MODULES = (engine_pb2, error_pb2, image_pb2, job_pb2, knob_pb2, matte_pb2, plate_pb2)


def surface() -> dict[str, dict[str, str]]:
    """Every message's and enum's numbers, and every call's types: name -> member -> what it is."""
    found: dict[str, dict[str, str]] = {}
    for module in MODULES:
        _add_file(module.DESCRIPTOR, found)
    return dict(sorted(found.items()))


def _add_file(file: FileDescriptor, found: dict[str, dict[str, str]]) -> None:
    for message in file.message_types_by_name.values():
        _add_message(message, found)
    for enum in file.enum_types_by_name.values():
        found[enum.full_name] = {value.name: str(value.number) for value in enum.values}
    for name, extension in file.extensions_by_name.items():
        found[f"{file.package}.{name}"] = {"extends": f"{extension.containing_type.full_name} {extension.number}"}
    for service in file.services_by_name.values():
        found[service.full_name] = {
            method.name: f"{_stream(method.client_streaming)}{method.input_type.full_name} -> "
            f"{_stream(method.server_streaming)}{method.output_type.full_name}"
            for method in service.methods
        }


def _add_message(message: Descriptor, found: dict[str, dict[str, str]]) -> None:
    found[message.full_name] = {
        field.name: f"{field.number} {'repeated ' if field.label == field.LABEL_REPEATED else ''}{_type(field)}"
        for field in message.fields
    }
    for nested in message.nested_types:
        _add_message(nested, found)
    for enum in message.enum_types:
        found[enum.full_name] = {value.name: str(value.number) for value in enum.values}


def _type(field) -> str:
    named = field.message_type or field.enum_type
    return named.full_name if named else f"type {field.type}"


def _stream(streams: bool) -> str:
    return "stream " if streams else ""


if __name__ == "__main__":
    frozen = json.loads(INVENTORY.read_text(encoding="utf-8"))
    grown = {name: {**members, **frozen.get(name, {})} for name, members in {**frozen, **surface()}.items()}
    INVENTORY.write_text(json.dumps(dict(sorted(grown.items())), indent=1) + "\n", encoding="utf-8")
