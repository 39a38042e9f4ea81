"""The key: everything that a result depends on, and nothing else."""

import copy

import pytest
from google.protobuf.descriptor import FieldDescriptor
from side_car import write_footage

from host_bridge.connection.client import Identity
from host_bridge.errors import BridgeError
from host_bridge.files.content import Hasher
from host_bridge.files.shot import open_shot
from host_bridge.options import MatteOptions
from host_bridge.request import MatteRequest
from host_bridge.wire.v1 import engine_pb2

IRRELEVANT = {
    "setup.job_id",
    "setup.device",
    "setup.plate.mapping",
    "setup.plate.hold_frame",
    "setup.plate.offset",
    "setup.plate.entries.frame",
    "frame.key",
}
"""Fields that may change without a result becoming stale: identifiers, and how a plate image was found. Everywhere
besides, ``path`` and the stem of ``name``."""


def identity(**changes):
    described = {
        "build": "b1",
        "threads": 2,
        **{name: changes[name] for name in ("build", "threads") if name in changes},
    }
    models = [engine_pb2.Model(name="platenet", weights_sha256=changes.get("weights", "w1"))]
    device = engine_pb2.Device(
        id="cpu",
        name=changes.get("device", "Chip"),
        memory_total=changes.get("memory", 8 << 30),
        memory_free=changes.get("free", 1 << 30),
        precision=changes.get("precision", 2),
    )
    return Identity(engine_pb2.DescribeResponse(models=models, **described), device)


@pytest.fixture
def request_of(tmp_path):
    frames = write_footage(tmp_path, range(1, 6))
    mattes = {name: write_footage(tmp_path / name, range(1, 6), name) for name in ("garbage", "core", "hint")}
    config = tmp_path / "show.ocio"
    config.write_text("config", encoding="utf-8")

    def make(**changes):
        stated = {"frames": frames, "clean_plate": "5", "output": "o.####.exr", "ocio": str(config), **mattes}
        options = MatteOptions(**{**stated, "knobs": {"temporal_window": 1}, **changes})
        return MatteRequest(options, open_shot(options, options.knobs.get("temporal_window", 0)), Hasher())

    return make


def leaves(message, path):
    """Every scalar field below a message: its path, and a function that changes it."""
    for field in message.DESCRIPTOR.fields:
        name = f"{path}.{field.name}"
        repeated = field.label == FieldDescriptor.LABEL_REPEATED
        if field.message_type is None:
            yield name, (lambda m=message, f=field, r=repeated: change(m, f, r))
        elif repeated:
            for item in getattr(message, field.name)[:1]:
                yield from leaves(item, name)
        elif message.HasField(field.name):
            yield from leaves(getattr(message, field.name), name)


def change(message, field, repeated):
    values = getattr(message, field.name)
    if repeated:
        values.append(8)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        setattr(message, field.name, f"x{values}")
    elif field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        setattr(message, field.name, next(v.number for v in field.enum_type.values if v.number not in (0, values)))
    else:
        setattr(message, field.name, values + 1)


def leaf_paths(make):
    made = make()
    frame = made.frame(5).message
    return [(path, run) for path, run in (*leaves(made.setup, "setup"), *leaves(frame, "frame"))], made, frame


def test_every_value_on_the_wire_counts_but_the_irrelevant_ones(request_of):
    names = [path for path, _ in leaf_paths(request_of)[0]]
    assert len(names) > 50
    for index, name in enumerate(names):
        changes, made, frame = leaf_paths(request_of)
        before = made.key(frame, identity())
        changes[index][1]()
        counts = made.key(frame, identity()) != before
        expected = name not in IRRELEVANT and name.rsplit(".", 1)[1] not in {"path", "name"}
        assert counts == expected, name


def test_of_a_name_only_the_ending_counts(request_of):
    made = request_of()
    frame = made.frame(3).message
    other = copy.deepcopy(frame)
    other.image.name = "renamed.exr"
    assert made.key(other, identity()) == made.key(frame, identity())
    other.image.name = "plate.0003.png"
    assert made.key(other, identity()) != made.key(frame, identity())


@pytest.mark.parametrize(
    "changes",
    [
        {"build": "b2"},
        {"threads": 4},
        {"weights": "w2"},
        {"device": "Other chip"},
        {"memory": 16 << 30},
        {"precision": 3},
    ],
)
def test_who_computes_counts(request_of, changes):
    made = request_of()
    frame = made.frame(3).message
    assert made.key(frame, identity(**changes)) != made.key(frame, identity())


def test_what_is_free_of_the_memory_does_not_count(request_of):
    made = request_of()
    frame = made.frame(3).message
    assert made.key(frame, identity(free=2 << 30)) == made.key(frame, identity())


def test_a_stated_default_is_the_same_request_as_an_untouched_knob(request_of):
    plain = request_of(knobs={})
    stated = request_of(knobs={"edge_shift": 0.0, "depth": "auto", "residual_gain": 0.5}, layers=("validity", "shadow"))
    usual = request_of(knobs={}, layers=("shadow", "validity"))
    assert stated.key(stated.frame(2).message, identity()) == usual.key(usual.frame(2).message, identity())
    assert plain.key(plain.frame(2).message, identity()) != usual.key(usual.frame(2).message, identity())


def test_the_same_plate_image_found_another_way_is_the_same_request(request_of, tmp_path):
    held = request_of()
    named = request_of(clean_plate=str(tmp_path / "plate.0005.exr"))
    assert held.key(held.frame(1).message, identity()) == named.key(named.frame(1).message, identity())


def test_the_window_is_cut_at_the_ends_of_the_clip_only(request_of):
    made = request_of(frame_range="2-3", knobs={"temporal_window": 2})
    assert [other.frame for other in made.frame(2).message.neighbours] == [1, 3, 4]
    assert [other.frame for other in made.frame(3).message.neighbours] == [1, 2, 4, 5]


def test_a_stated_clip_cuts_the_window_where_the_disk_holds_more(request_of):
    made = request_of(frame_range="2-3", clip_range="2-4", knobs={"temporal_window": 2})
    assert [other.frame for other in made.frame(2).message.neighbours] == [3, 4]
    with pytest.raises(BridgeError, match="missing 6"):
        request_of(frame_range="5", clip_range="1-9", knobs={"temporal_window": 1})


def test_a_plate_sequence_is_listed_for_the_neighbours_too(request_of, tmp_path):
    plates = write_footage(tmp_path / "plates", range(11, 16), "clean")
    made = request_of(clean_plate=plates, plate_offset=10, frame_range="3", knobs={"temporal_window": 1})
    assert [entry.frame for entry in made.setup.plate.entries] == [12, 13, 14]
    assert made.setup.plate.offset == 10


def test_a_format_without_a_stated_space_is_refused(tmp_path):
    (tmp_path / "a.0001.png").write_text("frame")
    (tmp_path / "clean.exr").write_text("plate")
    options = MatteOptions(str(tmp_path / "a.####.png"), str(tmp_path / "clean.exr"), "o.####.exr")
    with pytest.raises(BridgeError, match=r"PNG file has to be stated.*sRGB - Texture") as caught:
        MatteRequest(options, open_shot(options, 0), Hasher())
    assert caught.value.reason == "BAD_REQUEST"


def test_the_plate_takes_the_space_of_footage_of_its_own_format_only(tmp_path):
    for name in ("a.0001.png", "clean.exr", "clean.png"):
        (tmp_path / name).write_text(name)

    def spaces(plate):
        options = MatteOptions(
            str(tmp_path / "a.####.png"), str(tmp_path / plate), "o.exr", colorspace="sRGB - Texture"
        )
        made = MatteRequest(options, open_shot(options, 0), Hasher())
        return made.frame(1).message.image.color_space, made.setup.plate.entries[0].image.color_space

    assert spaces("clean.exr") == ("sRGB - Texture", "scene_linear")
    assert spaces("clean.png") == ("sRGB - Texture", "sRGB - Texture")


def test_mattes_carry_no_space(request_of):
    frame = request_of(colorspace="ACEScg").frame(1).message
    assert (frame.image.color_space, frame.garbage.color_space) == ("ACEScg", "")


def parts_of(made):
    frame = made.frame(2).message
    return frame.image.part, frame.neighbours[0].image.part, made.setup.plate.entries[0].image.part, frame.core.part


def test_footage_plate_and_mattes_have_parts_of_their_own(request_of, tmp_path):
    other = str(tmp_path / "garbage" / "garbage.0005.exr")
    named = {"part": "beauty", "plate_part": "empty", "matte_part": "roto"}
    assert parts_of(request_of(**named)) == ("beauty", "beauty", "empty", "roto")
    assert parts_of(request_of(**named, clean_plate=other)) == ("beauty", "beauty", "empty", "roto")
    assert parts_of(request_of(plate_part="empty", clean_plate=other)) == ("", "", "empty", "")


def test_a_plate_out_of_the_footage_has_the_footages_part_unless_stated(request_of, tmp_path):
    assert parts_of(request_of(part="beauty")) == ("beauty", "beauty", "beauty", "")
    other = str(tmp_path / "garbage" / "garbage.0005.exr")
    assert parts_of(request_of(part="beauty", clean_plate=other)) == ("beauty", "beauty", "", "")
