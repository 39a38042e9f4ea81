"""What the node in Blender cannot do: one clear sentence each, in the operator's error and in the node's panel."""

import json
import socket
import threading

import pytest
from blender_host import FIRST, LAST, SIZE, VERSIONS, Station, step


@pytest.fixture(params=VERSIONS)
def station(request, tmp_path):
    place = Station(tmp_path, request.param)
    yield place
    place.close()


def pressed(station, *change, exported=False, **node):
    """Build the shot, change it, press Process and read the panel."""
    return [*station.steps(exported, **node), *change, step("process"), step("lines")]


def cut(frame):
    return step("python", code=f"scene.frame_start = scene.frame_end = {frame}")


def test_each_is_one_sentence(station):
    (station.folder / "file").write_text("")
    (station.footage / f"f.{FIRST + 3}.exr").unlink()
    views = "scene.render.use_multiview = True; scene.render.views_format = 'STEREO_3D'"
    muted = "tree.nodes['Footage'].mute = True"
    loose = "tree.links.remove(tree.nodes['PlateKey'].inputs['Frame'].links[0])"
    shared = (
        "node = tree.nodes.new('CompositorNodeGroup'); node.node_tree = tree.nodes['PlateKey'].node_tree\n"
        "tree.links.new(tree.nodes['PlateKey'].outputs['Image'], node.inputs['Frame']); node.name = 'Twin'"
    )
    cases = {
        "the clean plate's frame 900 is outside the clip, 1001-1008": pressed(station, clean_frame=900),
        "nothing is connected to the input 'Frame'": pressed(station, step("python", code=loose)),
        "Footage above it is disabled": pressed(station, step("python", code=muted)),
        "this script has the views left, right": pressed(station, step("python", code=views)),
        "this file, which was never saved": pressed(station, folder="//results/"),
        "cannot be written": pressed(station, cut(FIRST + 1), folder=str(station.folder / "file" / "x")),
        "missing 1004": pressed(station, cut(FIRST + 3)),
        f"f.{FIRST + 3}.exr, which is read above it": pressed(station, cut(FIRST + 3), exported=True),
        "The engine has no model 'other'": pressed(station, cut(FIRST + 1), model="other"),
    }
    done = station.blender.run(*(each for steps in cases.values() for each in steps))
    assert done.code == 0, done.printed
    errors = [(result, panel) for result, panel in zip(done.results, done.results[1:], strict=False) if is_panel(panel)]
    for words, (error, panel) in zip(cases, errors, strict=True):
        assert words in error
        assert "Traceback" not in error
        assert words in panel[0]
        assert [line.split()[0] for line in panel] == ["Error", "Do"]
    assert station.engine_frames() == []

    twins = [*station.steps(False), step("python", code=shared), step("process", active="Twin")]
    done = station.blender.run(*twins)
    assert "shares its settings with another PlateKey node" in done.results[-1]


def is_panel(result):
    return isinstance(result, list)


def test_a_node_inside_a_group_ends_the_render(station):
    nested = (
        "inner = bpy.data.node_groups.new('Inner', 'CompositorNodeTree')\n"
        "inner.interface.new_socket('Image', in_out='OUTPUT', socket_type='NodeSocketColor')\n"
        "node = inner.nodes.new('CompositorNodeGroup'); node.node_tree = group.make_group()\n"
        "inner.links.new(node.outputs['Image'], inner.nodes.new('NodeGroupOutput').inputs[0])\n"
        "outer = tree.nodes.new('CompositorNodeGroup'); outer.node_tree = inner; outer.name = 'Outer'"
    )
    steps = [step("shot", size=SIZE, first=FIRST, last=LAST), step("python", code=nested)]
    steps += [step("link", source="Outer", socket=0, target="", target_socket=0)]
    done = station.blender.run(*steps, step("render", to=str(station.out)))
    assert done.code == 1
    assert "lies inside a node group" in done.printed
    assert station.rendered() == {}


def test_a_side_car_from_before_an_update(station):
    listener = socket.create_server(("127.0.0.1", 0))
    state = station.folder / "hö me" / "run" / "link.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"port": listener.getsockname()[1], "token": "t", "pid": 0}))

    def answer():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as stream:
            for line in stream:
                call = json.loads(line)
                unknown = {"reason": "UNSUPPORTED", "message": "No such method.", "next_step": "Use another."}
                greeting = {"result": {"link": 1, "version": "0.0.9"}}
                told = greeting if call["method"] == "hello" else {"error": unknown}
                stream.write(json.dumps({"id": call["id"], **told}).encode() + b"\n")

    threading.Thread(target=answer, daemon=True).start()
    done = station.blender.run(*pressed(station))
    state.unlink()
    listener.close()
    assert done.code == 0, done.printed
    assert "PlateKey 0.0.9, is older than this node" in done.results[-2]
