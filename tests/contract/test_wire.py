"""The wire is one treaty: stubs fresh, nothing agreed ever changed, and both sides know every word of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from wire_surface import INVENTORY, surface

from engine import errors, settings
from engine.errors import EngineError
from engine.service.interceptor import STATUS
from engine.service.translate.knobs import declaration, knobs
from engine.service.translate.replies import STAGE_STARTS, error_detail
from host_bridge.wire.v1 import error_pb2, knob_pb2, matte_pb2

ROOT = Path(__file__).resolve().parents[2]
DECLARED = {field.name: declaration(field) for field in matte_pb2.Knobs.DESCRIPTOR.fields}
NUMBERS = {name: knob for name, knob in DECLARED.items() if knob.low != knob.high and not knob.merge_only}
CROSSING = {"black_point": {1.0}, "white_point": {0.0}}
"""In range, but at the other one's initial value."""


def test_the_stubs_are_fresh():
    checked = subprocess.run(
        [sys.executable, "packaging/gen_wire.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_what_was_agreed_still_holds():
    frozen, now = json.loads(INVENTORY.read_text()), surface()
    broken = [
        f"{name}.{member}: was {what}, is {now.get(name, {}).get(member, 'gone')}"
        for name, members in frozen.items()
        for member, what in members.items()
        if now.get(name, {}).get(member) != what
    ]
    assert not broken, f"Never change what was agreed; make v2/ beside v1/. {broken}"


def test_what_is_new_is_in_the_inventory():
    assert surface() == json.loads(INVENTORY.read_text()), "Run: PYTHONPATH=. python tests/support/wire_surface.py"


def test_every_reason_has_a_status_and_a_name_on_both_sides():
    on_the_wire = set(error_pb2.ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}
    assert set(errors.REASONS) == on_the_wire, "Give engine/errors.py the same reasons as error.proto."
    assert set(STATUS) == on_the_wire, "Give every reason its status in engine/service/interceptor.py."


@pytest.mark.parametrize("reason", errors.REASONS)
def test_an_error_crosses_the_wire_whole(reason: errors.Reason):
    crossed = error_detail(EngineError(reason, "What is wrong.", "What to do.", residual_px=14.25))
    assert error_pb2.ErrorReason.Name(crossed.reason) == reason
    assert (crossed.message, crossed.next_step) == ("What is wrong.", "What to do.")
    assert dict(crossed.facts) == {"residual_px": "14.25"}


def test_a_frames_report_has_the_same_fields_on_both_sides():
    assert [field.name for field in matte_pb2.FrameReport.DESCRIPTOR.fields] == [
        field.name for field in fields(settings.FrameReport)
    ]


def test_layers_and_stages_have_the_same_names_on_both_sides():
    assert [name.lower() for name in matte_pb2.Layer.keys()[1:]] == list(get_args(settings.LayerName))
    proto = (ROOT / "host_bridge/wire/v1/matte.proto").read_text()
    assert ", ".join(STAGE_STARTS) in proto


def test_knobs_untouched_are_the_ones_the_settings_start_with():
    assert knobs(matte_pb2.Knobs(), "float") == settings.Knobs()


def test_every_knob_is_declared_for_the_artist():
    assert {name for name, knob in DECLARED.items() if not knob.merge_only} == set(get_type_hints(settings.Knobs))
    for name, knob in DECLARED.items():
        assert knob.label, name
        assert knob.help.endswith("."), name
        assert knob.low <= knob.initial <= knob.high or knob.low == knob.high, name


def test_every_choice_reaches_the_settings():
    hints = get_type_hints(settings.Knobs)
    for field in matte_pb2.Knobs.DESCRIPTOR.fields:
        if field.enum_type is None or declaration(field).merge_only:
            continue
        reached = {
            getattr(knobs(matte_pb2.Knobs(**{field.name: value.number}), "half"), field.name)
            for value in field.enum_type.values
            if value.number
        }
        assert reached == set(get_args(hints[field.name])), field.name
        offered = [value.GetOptions().Extensions[knob_pb2.choice] for value in field.enum_type.values]
        assert not offered[0]
        assert all(offered[1:])


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_accepted_in_its_range_and_nowhere_else(name: str):
    declared = NUMBERS[name]
    number = type(getattr(matte_pb2.Knobs(), name))
    for value in {declared.low, declared.high, declared.initial} - CROSSING.get(name, set()):
        assert getattr(knobs(matte_pb2.Knobs(**{name: number(value)}), "float"), name) == value
    for value in (declared.low - 1, declared.high + 1):
        with pytest.raises(EngineError) as caught:
            knobs(matte_pb2.Knobs(**{name: number(value)}), "float")
        assert caught.value.reason == "BAD_REQUEST"
        accepted = f"{name} is {number(value)}; accepted is {declared.low:g} to {declared.high:g}"
        assert accepted in caught.value.message


def test_a_number_that_is_none_is_refused():
    with pytest.raises(EngineError, match="sensitivity is nan"):
        knobs(matte_pb2.Knobs(sensitivity=float("nan")), "float")


@pytest.mark.parametrize("number", [0, 99])
def test_a_choice_that_is_none_is_refused(number: int):
    with pytest.raises(EngineError, match=rf"registration is {number}; .*REGISTRATION_OFF"):
        knobs(matte_pb2.Knobs(registration=number), "float")


def test_black_and_white_must_not_cross():
    with pytest.raises(EngineError, match="black_point"):
        knobs(matte_pb2.Knobs(black_point=0.5, white_point=0.5), "float")
