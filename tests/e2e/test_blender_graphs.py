"""Graphs around the node in Blender: counting, exporting, several nodes, several Blenders, another machine."""

import shutil

import numpy as np
import pytest
from blender_host import FIRST, LAST, SIZE, VERSIONS, Station, answer_pixel, finished, step
from exr_files import read

LENGTH = LAST - FIRST + 1


@pytest.fixture(params=VERSIONS)
def station(request, tmp_path):
    place = Station(tmp_path, request.param)
    yield place
    place.close()


def begun(first, last):
    return step("shot", size=SIZE, first=first, last=last)


def beside(station, name):
    """The footage itself, rendered by Blender; its pixels are its file's number / 500."""
    shown = station.rendered(name)
    return {frame: round(value * 500) for frame, value in shown.items()}


@pytest.mark.parametrize("cyclic", [False, True])
def test_a_frame_gets_the_result_of_the_file_that_blender_shows(station, cyclic):
    counted = {"start": 5, "length": LENGTH, "offset": FIRST - 1, "cyclic": cyclic}
    clip = str(station.footage / f"f.{FIRST + 2}.exr")
    to = {name: step("render", to=str(station.out / name)) for name in ("shown", "keyed", "clip", "clip keyed")}
    plain = {"source": "Footage", "socket": 0, "target": "", "target_socket": 0}
    done = station.blender.run(
        begun(5, 15),
        station.image("Footage", **counted),
        step("link", **plain),
        to["shown"],
        step("platekey", folder=str(station.results), clean_frame=5, inputs={"Frame": "Footage"}),
        to["keyed"],
        begun(1, 6),
        step("clip", name="Footage", path=clip),
        step("link", **plain),
        to["clip"],
        step("platekey", folder=str(station.results), clean_frame=1, inputs={"Frame": "Footage"}),
        to["clip keyed"],
    )
    assert done.code == 0, done.printed
    assert len(set(beside(station, "shown").values())) == LENGTH
    for shown, keyed in (("shown", "keyed"), ("clip", "clip keyed")):
        expected = {frame: answer_pixel(number) for frame, number in beside(station, shown).items()}
        assert station.rendered(keyed) == expected
    assert not list(station.results.rglob("in-*")), "files were sent as they are"


def test_a_picture_that_was_moved_is_exported_in_its_place(station):
    moved = (
        "node = tree.nodes.new('CompositorNodeTranslate'); node.name = 'Moved'\n"
        "tree.links.new(tree.nodes['Footage'].outputs[0], node.inputs[0])\n"
        "node.inputs['X'].default_value, node.inputs['Y'].default_value = 20, 10"
    )
    done = station.blender.run(
        begun(FIRST, FIRST),
        station.image("Footage"),
        step("python", code=moved),
        step("link", source="Moved", socket=0, target="", target_socket=0),
        step("render", to=str(station.out)),
        step("platekey", folder=str(station.results), clean_frame=FIRST, inputs={"Frame": "Moved"}),
        step("process"),
    )
    assert (done.code, done.results[-1]) == (0, "")
    (exported,) = station.results.rglob(f"frames.00{FIRST}.exr")
    ours, blenders = read(exported)[1], read(station.out / f"r.{FIRST}.exr")[1]
    assert (ours == blenders).all()
    assert (ours[:, :20, 3] == 0).all()
    assert ours[0, 30, 0] > 0


def test_the_node_merges_over_a_background(station):
    colour = "tree.nodes['PlateKey'].inputs['Background'].default_value = (0.5, 0.25, 4.0, 1.0)"
    done = station.blender.run(
        *station.steps(False, out="Over Background"), step("python", code=colour), step("render", to=str(station.out))
    )
    assert done.code == 0, done.printed
    for frame in range(FIRST + 1, LAST + 1):
        a = np.float64(answer_pixel(frame))
        under = np.array([0.5, 0.25, 4.0, 1.0])
        merged = a + (1 - a) * (a + (1 - a) * under)
        assert read(station.out / f"r.{frame}.exr")[1][0, 0] == pytest.approx(merged, rel=1e-5)


def test_layers_that_are_connected_are_asked_for(station):
    told = "import json; result = group.wanted_layers(tree.nodes['PlateKey'])"
    gain = "tree.nodes['PlateKey'].inputs['Residual Gain'].default_value = 0.5"
    done = station.blender.run(
        *station.steps(False),
        step("python", code=told),
        step("link", source="PlateKey", socket="Uncertainty", target="", target_socket=0),
        step("python", code=told),
        step("link", source="PlateKey", socket="Over Background", target="", target_socket=0),
        step("python", code=told),
        step("python", code=gain),
        step("python", code=told),
    )
    asked = [result for result in done.results if isinstance(result, list)]
    assert asked == [["shadow"], ["shadow", "uncertainty"], ["shadow"], ["shadow", "residual"]]


def test_one_node_above_another(station):
    second = {"name": "Second", "folder": str(station.results), "clean_frame": FIRST, "edge_shift": 3.0}
    done = station.blender.run(
        *station.steps(False, out=""),
        step("platekey", inputs={"Frame": ["PlateKey", "Image"]}, **second),
        step("render", to=str(station.out)),
    )
    assert done.code == 0, done.printed
    frames = range(FIRST + 1, LAST + 1)
    assert station.rendered() == {number: answer_pixel(number) for number in frames}
    # The second one's clean plate is the first one's result of the plate's frame.
    assert sorted(station.engine_frames()) == sorted([FIRST, *frames, *frames])
    (exported,) = station.results.rglob(f"Second*/in-*/frames.00{LAST}.exr")
    assert (read(exported)[1] == np.float32(answer_pixel(LAST))).all()


def test_two_blenders_at_once(station):
    file = str(station.folder / "shot.blend")
    assert station.blender.run(*station.steps(True), step("save", path=file)).code == 0
    ranges = [(FIRST + 1, LAST), (FIRST + 1, LAST - 2)]
    started = [
        station.blender.start(
            step("reopen", path=file), step("render", to=str(station.out / f"{last}"), first=first, last=last)
        )
        for first, last in ranges
    ]
    for run, (first, last) in zip(map(finished, started), ranges, strict=True):
        assert run.code == 0, run.printed
        assert station.rendered(f"{last}") == {number: answer_pixel(number) for number in range(first, last + 1)}
    assert station.leftovers() == []


def test_a_shot_that_moved_renders_from_its_results_without_an_engine_or_the_extension(station):
    project = station.folder / "pröject one"
    shutil.copytree(station.footage, project / "footage")
    folder = "tree.nodes['PlateKey'].node_tree.platekey.bl_rna.properties['folder']"
    steps = [
        step("python", code=f"bpy.ops.wm.save_as_mainfile(filepath={str(project / 'shot.blend')!r})"),
        begun(FIRST + 1, LAST),
        step("save", path=str(project / "shot.blend")),
        station.image("Footage", path=str(project / "footage" / f"f.{FIRST}.exr")),
        step("python", code="bpy.ops.file.make_paths_relative()"),
        step("platekey", folder="//platekey/", clean_frame=FIRST, inputs={"Frame": "Footage"}),
        step("python", code=f"result = {folder}.is_path_supports_blend_relative"),
        step("process"),
        step("save", path=str(project / "shot.blend")),
    ]
    done = station.blender.run(*steps)
    assert (done.code, done.results[-3:-1]) == (0, [True, ""]), done.printed
    station.close()
    moved = station.folder / "another disk"
    shutil.move(project, moved)
    station.scenario(start_failure="no engine here")
    nothing_is_written = (
        "import plugin.blender.take, plugin.blender.group\n"
        "def refuse(*_): raise AssertionError('this cache is read-only')\n"
        "plugin.blender.take.require_writable = plugin.blender.group.require_writable = refuse"
    )
    done = station.blender.run(
        step("python", code=nothing_is_written),
        step("reopen", path=str(moved / "shot.blend")),
        step("render", to=str(station.out / "extension")),
        step("without_extension"),
        step("render", to=str(station.out / "none")),
    )
    assert done.code == 0, done.printed
    expected = {number: answer_pixel(number) for number in range(FIRST + 1, LAST + 1)}
    assert station.rendered("extension") == station.rendered("none") == expected


def test_a_3d_scene_above_the_node_is_exported_each_time(station):
    world = (
        "scene.render.engine = 'CYCLES'; scene.cycles.samples = 1\n"
        "scene.world = bpy.data.worlds.new('World'); scene.world.use_nodes = True\n"
        "scene.camera = bpy.data.objects.new('Camera', bpy.data.cameras.new('Camera'))\n"
        "scene.collection.objects.link(scene.camera)\n"
        "tree.nodes.new('CompositorNodeRLayers').name = 'Rendered'"
    )
    done = station.blender.run(
        begun(FIRST + 1, FIRST + 2),
        step("python", code=world),
        step("platekey", folder=str(station.results), clean_frame=FIRST, inputs={"Frame": "Rendered"}),
        step("render", to=str(station.out)),
        step("render", to=str(station.out / "again")),
    )
    assert done.code == 0, done.printed
    assert station.rendered() == station.rendered("again") == {n: answer_pixel(n) for n in (FIRST + 1, FIRST + 2)}
    (exported,) = station.results.rglob(f"frames.00{FIRST + 1}.exr")
    assert read(exported)[1][..., 3].max() > 0
