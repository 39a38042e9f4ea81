"""The node in the graph: its inputs, its knobs, and what each entry of its menu of outputs shows."""

import nuke
import numpy as np
import pytest
from exr_files import write
from fake_nuke import pixels, session
from nuke_station import SIZE, key_node, new_script, still, writer
from platekey.core.knobs import KNOBS, LAYERS
from platekey.nuke import anatomy, build, menus, panel
from platekey.nuke.node import KeyNode, all_key_nodes

from engine.pipeline.layers import assemble
from engine.values import Solution

FRAME = 1003


@pytest.fixture
def layers(tmp_path):
    """A result's channels: random, but obeying the equation over its own clean plate."""
    random = np.random.default_rng(5)
    alpha = random.uniform(0, 1, SIZE).astype(np.float32)
    ratio = np.repeat(random.uniform(0.2, 1, (*SIZE, 1)).astype(np.float32), 3, -1)
    solution = Solution(
        premultiplied=random.uniform(-0.1, 40, (*SIZE, 3)).astype(np.float32),
        alpha=alpha,
        shadow_ratio=ratio,
        residual=random.normal(0, 0.1, (*SIZE, 3)).astype(np.float32),
        uncertainty=random.uniform(0, 1, SIZE).astype(np.float32),
        difference=random.uniform(0, 9, SIZE).astype(np.float32),
        valid=np.ones(SIZE, bool),
        foreground=random.uniform(0, 2, (*SIZE, 3)).astype(np.float32),
        plate=random.uniform(0, 4, (*SIZE, 3)).astype(np.float32),
        garbage=np.zeros(SIZE, np.float32),
        half=False,
    )
    return assemble(solution, LAYERS).channels


@pytest.fixture
def key(layers, tmp_path):
    """A node on footage, with a result that was not keyed but made up."""
    new_script(tmp_path / "comp")
    random = np.random.default_rng(6)
    write(tmp_path / "frame.exr", random.uniform(0, 1, (*SIZE, 3)).astype(np.float32))
    key = key_node(still(tmp_path / "frame.exr", "Plate"))
    folder = tmp_path / "results" / key.value(panel.ID) / key.points_at()
    folder.mkdir(parents=True)
    key.group["cache"].setValue(str(tmp_path / "results"))
    stacked = np.stack(list(layers.values()), -1)
    write(folder / f"key.{FRAME}.exr", stacked, channels=list(layers))
    return key


def shown(key, output, frame=FRAME):
    key.group["output_layer"].setValue(output)
    return pixels.render(session.running(), key.group, frame, "main")


def rgba(picture):
    return np.stack([picture.plane(name) for name in pixels.COLOURS], -1)


def test_inputs_are_wired_by_number_and_the_selected_node_is_the_frame(key):
    assert [node.name() for node in key.group.input_nodes()] == list(anatomy.INPUTS)
    assert key.source("Frame").name() == "Plate"
    assert key.source("CleanPlate") is None


def test_every_declared_knob_is_there_at_its_initial_value(key):
    assert key.settings() == {knob.name: knob.initial for knob in KNOBS}
    for knob in KNOBS:
        made = key.group[knob.name]
        assert made.tooltip().startswith(knob.help)
        assert nuke.NO_ANIMATION in made.flags
        if knob.low < knob.high:
            assert made.range == (knob.low, knob.high)


def test_every_node_has_an_id_of_its_own(key):
    other = KeyNode(build.create())
    assert other.value(panel.ID) != key.value(panel.ID)
    assert [it.name for it in all_key_nodes()] == ["PlateKey1", "PlateKey2"]


def test_the_key_is_the_result_itself_with_every_layer_beside_it(key, layers):
    picture = shown(key, "key")
    assert np.array_equal(rgba(picture), np.stack([layers[name] for name in "RGBA"], -1))
    for layer in LAYERS:
        for channel in anatomy.channels(layer):
            of_file = channel.replace("red", "R").replace("green", "G").replace("blue", "B").replace("alpha", "A")
            assert np.array_equal(picture.planes[channel], layers[of_file]), channel


def test_the_channels_of_every_layer_are_those_the_engine_delivers(layers):
    expected = [name for layer in LAYERS for name in anatomy.channels(layer)]
    long = {"R": "red", "G": "green", "B": "blue", "A": "alpha"}
    delivered = [name.rpartition(".") for name in layers if "." in name]
    assert expected == [f"{layer}.{long.get(letter, letter)}" for layer, _, letter in delivered]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_can_be_shown(key, layers, layer):
    picture = rgba(shown(key, layer))
    own = [name for name in layers if name.startswith(f"{layer}.")]
    if len(own) == 1:
        assert all(np.array_equal(picture[..., index], layers[own[0]]) for index in range(4))
    else:
        assert all(np.array_equal(picture[..., index], layers[name]) for index, name in enumerate(own))
    assert np.array_equal(rgba(shown(key, "cleanplate"))[..., 3], layers["validity.Y"])


def test_the_frame_can_be_shown_without_any_result(key):
    assert rgba(shown(key, "frame", frame=1001)).max() <= 1.0


def test_key_with_shadow_is_one_layer_that_needs_one_over(key, layers):
    merged = rgba(shown(key, "key with shadow"))
    alpha, shadow = layers["A"], layers["shadow.A"]
    assert np.allclose(merged[..., 3], alpha + shadow * (1 - alpha), atol=1e-6)
    assert np.array_equal(merged[..., 0], layers["R"])


def over_plate(key, tmp_path, layers, gain):
    plate = np.stack([layers[f"cleanplate.{name}"] for name in "RGB"], -1)
    write(tmp_path / "background.exr", plate)
    key.group.setInput(5, still(tmp_path / "background.exr", "Behind"))
    key.group["residual_gain"].setValue(gain)
    return rgba(shown(key, "over background")), plate


def test_over_its_own_plate_the_preview_with_the_whole_residual_is_the_equation(key, layers, tmp_path):
    picture, plate = over_plate(key, tmp_path, layers, 1.0)
    alpha, ratio = layers["A"], layers["shadow_ratio.R"]
    for index, name in enumerate("RGB"):
        expected = layers[name] + (1 - alpha) * ratio * plate[..., index] + layers[f"residual.{name}"]
        assert np.allclose(picture[..., index], expected, atol=1e-5)


def test_the_residual_starts_at_nothing_over_a_new_background(key, layers, tmp_path):
    none, _ = over_plate(key, tmp_path, layers, 0.0)
    half, _ = over_plate(key, tmp_path, layers, 0.5)
    assert key.group["residual_gain"].value() == 0.5
    for index, name in enumerate("RGB"):
        assert np.allclose(half[..., index] - none[..., index], 0.5 * layers[f"residual.{name}"], atol=1e-5)


def test_a_coloured_shadow_is_multiplied_not_laid_over(key, layers, tmp_path):
    """With one ratio for all channels both ways say the same of the colours."""
    laid, _ = over_plate(key, tmp_path, layers, 0.0)
    folder = key.points_at()
    key.group["shadow_color"].setValue("rgb")
    key.point_at(folder)
    multiplied = rgba(shown(key, "over background"))
    assert np.allclose(multiplied[..., :3], laid[..., :3], atol=1e-5)
    assert not np.allclose(multiplied[..., 3], laid[..., 3]), "a product leaves the background's alpha alone"


@pytest.mark.parametrize("frame", [FRAME - 1, FRAME + 1, 1, 999999])
def test_a_frame_without_a_result_is_an_error_never_the_frame_beside_it(key, frame):
    with pytest.raises(RuntimeError, match="No such file"):
        shown(key, "key", frame)


def test_a_custom_output_rule_of_the_studio_changes_no_number(key, layers):
    session.running().file_transform = np.sqrt
    assert np.array_equal(rgba(shown(key, "key"))[..., 3], layers["A"])


def test_the_writes_inside_rest(key, tmp_path):
    for name in anatomy.EXPORTS:
        write_node = key.inner(anatomy.export_name(name))
        assert write_node["disable"].value()
        assert write_node["file"].value() == ""
        nuke.execute(write_node, 1, 1)
    node = writer(key.group, tmp_path / "out")
    nuke.root()["first_frame"].setValue(FRAME)
    assert node["disable"].value() is False


def test_the_node_is_in_the_toolbar_in_the_tab_search_and_in_the_menu_bar(key):
    menus.add()
    found = session.running().menus
    command, icon = found["Nodes"]["PlateKey"]["PlateKey"]
    assert icon == "PlateKey.png"
    before = len(all_key_nodes())
    exec(command)
    assert len(all_key_nodes()) == before + 1
    assert {"New PlateKey node", "Process the ranges of all PlateKey nodes"} <= found["Nuke"]["PlateKey"].keys()
