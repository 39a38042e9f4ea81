"""Knobs as the proto declares them."""

import math

import pytest

from engine.settings import DEFAULT_LAYERS as ENGINE_DEFAULT_LAYERS
from host_bridge.errors import BridgeError
from host_bridge.knobs import build_knobs, build_layers, knob_specs, knobs_as_json
from host_bridge.wire.v1 import matte_pb2

SPECS = {spec.name: spec for spec in knob_specs()}


def test_every_field_of_the_message_is_a_knob_with_words():
    assert list(SPECS) == [field.name for field in matte_pb2.Knobs.DESCRIPTOR.fields]
    assert all(spec.label and spec.help.endswith(".") for spec in SPECS.values())


def test_known_values():
    assert (SPECS["edge_shift"].low, SPECS["edge_shift"].high, SPECS["edge_shift"].unit) == (-20, 20, "px")
    assert [choice.name for choice in SPECS["registration"].choices] == ["off", "auto", "locked"]
    assert [choice.name for choice in SPECS["quality"].choices] == ["draft", "full"]
    assert [choice.name for choice in SPECS["shadow_color"].choices] == ["grey", "rgb"]
    assert SPECS["model"].initial == "platenet"
    assert SPECS["residual_gain"].merge_only


def test_untouched_knobs_are_sent_with_their_initial_values():
    knobs = build_knobs({"edge_shift": None})
    sent = {field.name for field, _ in knobs.ListFields()}
    assert sent == {name for name, spec in SPECS.items() if not spec.merge_only}
    assert knobs.registration == matte_pb2.REGISTRATION_AUTO
    assert knobs.white_point == 1


def test_given_values_arrive():
    knobs = build_knobs({"depth": "float", "edge_shift": -2.5, "temporal_window": 3, "model": "bgmv2"})
    assert (knobs.depth, knobs.edge_shift, knobs.temporal_window) == (matte_pb2.DEPTH_FLOAT, -2.5, 3)
    assert knobs.model == "bgmv2"


def test_a_merge_only_knob_never_changes_the_request():
    assert build_knobs({"residual_gain": 0.7}) == build_knobs({})


@pytest.mark.parametrize(
    "values",
    [
        {"edge_shift": 20.5},
        {"edge_shift": math.nan},
        {"edge_shift": "2"},
        {"mix": True},
        {"temporal_window": 1.5},
        {"depth": "DEPTH_HALF"},
        {"no_such_knob": 1},
    ],
)
def test_values_that_cannot_be_are_refused(values):
    with pytest.raises(BridgeError) as caught:
        build_knobs(values)
    assert caught.value.reason == "BAD_REQUEST"


def test_hosts_get_plain_values():
    (knob,) = [knob for knob in knobs_as_json() if knob["name"] == "input_alpha"]
    assert knob["initial"] == "ignore"
    assert knob["choices"][1] == {"name": "garbage", "label": "Use as garbage matte", "number": 2}


def test_the_usual_layers_are_the_engines_and_stating_them_is_stating_none():
    assert build_layers([]) == [name.upper() for name in ENGINE_DEFAULT_LAYERS]
    assert build_layers(ENGINE_DEFAULT_LAYERS) == build_layers([])


def test_layers_are_sent_once_each_in_the_file_order():
    assert build_layers(["fg", "shadow", "fg"]) == ["SHADOW", "FG"]
    with pytest.raises(BridgeError, match="no layer named depth"):
        build_layers(["depth"])
