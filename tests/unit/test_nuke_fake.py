"""Every rule that the stand-in for Nuke keeps bites: each test breaks one, as code in the wild does."""

import subprocess
import sys
import threading

import nuke
import numpy as np
import pytest
from exr_files import read, write
from fake_nuke import session


@pytest.fixture
def running():
    return session.start()


@pytest.fixture
def write_node(running, tmp_path):
    source = nuke.nodes.Constant(color=0.5)
    return nuke.nodes.Write(inputs=[source], file=str(tmp_path / "out.%04d.exr"), raw=True)


def raised(write_node, frame=1):
    with pytest.raises(RuntimeError) as caught:
        nuke.execute(write_node, frame, frame)
    return str(caught.value)


@pytest.mark.parametrize(
    "add", [nuke.addBeforeRender, nuke.addBeforeFrameRender, nuke.addAfterFrameRender, nuke.addAfterRender]
)
def test_a_render_inside_a_render_fails(write_node, add):
    add(lambda: nuke.execute(write_node, 1, 1), nodeClass="Write")
    assert raised(write_node) == "I'm already executing something else"


def test_a_render_from_knob_changed_fails(write_node):
    group = nuke.nodes.Group()
    group.addKnob(nuke.Double_Knob("gain", "Gain"))
    nuke.addKnobChanged(lambda: nuke.execute(write_node, 1, 1))
    group["gain"].setValue(1)
    with pytest.raises(RuntimeError, match="already executing"):
        group.showControlPanel()
    with pytest.raises(RuntimeError, match="already executing"):
        group["gain"].setValue(2)


def test_a_render_from_on_create_fails(write_node):
    nuke.addOnCreate(lambda: nuke.execute(write_node, 1, 1))
    with pytest.raises(RuntimeError, match="already executing"):
        nuke.createNode("Dot")


def test_knob_changed_hears_of_a_wire_with_the_panel_open_only(running):
    with nuke.nodes.Group() as group:
        nuke.nodes.Input()
    source, heard = nuke.nodes.Constant(), []
    nuke.addKnobChanged(lambda: heard.append(nuke.thisKnob().name()), nodeClass="Group")
    group.setInput(0, source)
    assert heard == []
    group.showControlPanel()
    group.setInput(0, None)
    assert heard == ["showPanel", "inputChange"]


def test_knob_changed_is_called_with_the_panel_open_only_and_not_for_what_it_sets_itself(running):
    group = nuke.nodes.Group()
    for name in ("gain", "double"):
        group.addKnob(nuke.Double_Knob(name, name))
    heard = []

    def hear():
        heard.append(nuke.thisKnob().name())
        nuke.thisNode()["double"].setValue(2 * nuke.thisNode()["gain"].value())

    nuke.addKnobChanged(hear)
    group["gain"].setValue(1)
    assert heard == []
    group.showControlPanel()
    group["gain"].setValue(3)
    assert heard == ["showPanel", "gain"]
    assert group["double"].value() == 6


@pytest.mark.parametrize("kind", ["addBeforeRender", "addBeforeFrameRender"])
def test_a_callback_that_raises_aborts_the_render(write_node, tmp_path, kind):
    after = []
    nuke.addAfterFrameRender(lambda: after.append(1), nodeClass="Write")

    def refuse():
        raise RuntimeError("not today")

    getattr(nuke, kind)(refuse, nodeClass="Write")
    assert raised(write_node) == "not today"
    assert after == []
    assert list(tmp_path.glob("*.exr")) == []


def test_a_callback_of_another_class_is_not_called(write_node, tmp_path):
    nuke.addBeforeRender(lambda: 1 / 0, nodeClass="WriteGeo")
    nuke.execute(write_node, 1, 1)
    assert (tmp_path / "out.0001.exr").exists()


def test_a_render_tells_its_callbacks_which_frame_it_is_at(write_node):
    heard = []
    nuke.addBeforeFrameRender(lambda: heard.append((nuke.thisNode().name(), nuke.frame())), nodeClass="Write")
    nuke.execute(write_node, 3, 7, 2)
    assert heard == [("Write1", 3), ("Write1", 5), ("Write1", 7)]
    assert nuke.frame() == 1


@pytest.mark.parametrize(
    ("what", "touch"),
    [
        ("execute", lambda write_node: nuke.execute(write_node, 1, 1)),
        ("setValue", lambda write_node: write_node["disable"].setValue(True)),
        ("createNode", lambda write_node: nuke.nodes.Dot()),
        ("delete", nuke.delete),
        ("addKnob", lambda write_node: write_node.addKnob(nuke.Double_Knob("gain", "Gain"))),
        ("setInput", lambda write_node: write_node.setInput(0, None)),
    ],
)
def test_another_thread_may_not_touch_the_script(write_node, what, touch):
    errors = []

    def work():
        try:
            touch(write_node)
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == [f"{what}: the script may be touched in the main thread only"]


def test_execute_in_main_thread_from_the_main_thread_is_what_hangs_nuke(running):
    with pytest.raises(RuntimeError, match="from the main thread"):
        nuke.executeInMainThread(print)
    with pytest.raises(RuntimeError, match="from the main thread"):
        nuke.executeInMainThreadWithResult(print)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nuke.executeInMainThread(print),
        lambda: nuke.message("hello"),
        lambda: nuke.ask("really?"),
        lambda: nuke.ProgressTask("work"),
        lambda: nuke.menu("Nodes"),
        lambda: nuke.nodes.Group().showControlPanel(),
    ],
)
def test_without_windows_there_are_no_windows(call):
    session.start(gui=False)
    with pytest.raises(RuntimeError, match="non-gui mode"):
        call()


def test_a_disabled_write_writes_nothing_and_says_nothing(write_node, tmp_path):
    write_node["disable"].setValue(True)
    nuke.execute(write_node, 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_reads_its_own_files_writes_nothing(write_node, tmp_path):
    write_node["reading"].setValue(True)
    nuke.execute(write_node, 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_node_passes_its_first_input_through(write_node, tmp_path):
    gain = nuke.nodes.Multiply(inputs=[write_node.input(0)], value=3)
    write_node.setInput(0, gain)
    nuke.execute(write_node, 1, 1)
    gain["disable"].setValue(True)
    nuke.execute(write_node, 2, 2)
    assert [read(tmp_path / f"out.000{frame}.exr")[1].max() for frame in (1, 2)] == [1.5, 0.5]


def test_a_folder_that_is_not_there_stops_a_write(running, tmp_path):
    node = nuke.nodes.Write(inputs=[nuke.nodes.Constant()], file=str(tmp_path / "no" / "out.%04d.exr"))
    assert "Can't open" in raised(node)
    node["create_directories"].setValue(True)
    nuke.execute(node, 1, 1)
    assert (tmp_path / "no" / "out.0001.exr").exists()


def test_only_a_write_can_be_executed(running):
    with pytest.raises(RuntimeError, match="not executable"):
        nuke.execute(nuke.nodes.Constant(), 1, 1)


def test_a_missing_file_stops_a_render_unless_told_otherwise(running, tmp_path):
    source = nuke.nodes.Read(file=str(tmp_path / "in.%04d.exr"), last=10)
    node = nuke.nodes.Write(inputs=[source], file=str(tmp_path / "out.%04d.exr"))
    assert "in.0003.exr: No such file" in raised(node, 3)
    source["on_error"].setValue("black")
    nuke.execute(node, 3, 3)
    assert not read(tmp_path / "out.0003.exr")[1].any()


def test_beyond_its_range_a_read_holds_its_last_frame_without_a_word(running, tmp_path):
    write(tmp_path / "in.0001.exr", np.full((4, 4, 3), 0.25, np.float32))
    source = nuke.nodes.Read(file=str(tmp_path / "in.%04d.exr"), last=1, raw=True)
    node = nuke.nodes.Write(inputs=[source], file=str(tmp_path / "out.%04d.exr"), raw=True)
    nuke.execute(node, 7, 7)
    assert (read(tmp_path / "out.0007.exr")[1] == 0.25).all()


def test_an_input_without_a_wire_is_black_without_a_word(running, tmp_path):
    node = nuke.nodes.Write(inputs=[nuke.nodes.Dot()], file=str(tmp_path / "out.%04d.exr"))
    nuke.execute(node, 1, 1)
    assert not read(tmp_path / "out.0001.exr")[1].any()


def test_a_write_that_is_not_raw_writes_other_numbers(write_node, running, tmp_path):
    running.file_transform = np.sqrt
    nuke.execute(write_node, 1, 1)
    write_node["raw"].setValue(False)
    nuke.execute(write_node, 2, 2)
    raw, converted = (read(tmp_path / f"out.000{frame}.exr")[1].max() for frame in (1, 2))
    assert (raw, converted) == (0.5, pytest.approx(0.5**0.5, abs=1e-3))


def test_a_read_that_is_not_raw_shows_other_numbers(running, tmp_path):
    write(tmp_path / "in.0001.exr", np.full((4, 4, 3), 0.25, np.float32))
    running.file_transform = np.sqrt
    for name, raw in (("raw", True), ("converted", False)):
        source = nuke.nodes.Read(file=str(tmp_path / "in.%04d.exr"), last=1, raw=raw)
        nuke.execute(nuke.nodes.Write(inputs=[source], file=str(tmp_path / f"{name}.exr"), raw=True), 1, 1)
    assert [read(tmp_path / f"{name}.exr")[1].max() for name in ("raw", "converted")] == [0.25, 0.5]


def test_in_proxy_mode_a_write_writes_small_pictures(write_node, tmp_path):
    nuke.root()["proxy"].setValue(True)
    nuke.execute(write_node, 1, 1)
    assert read(tmp_path / "out.0001.exr")[1].shape[:2] == (45, 80)


def test_a_group_has_one_output(running):
    with nuke.nodes.Group() as group:
        nuke.nodes.Output()
        with pytest.raises(RuntimeError, match="a Group has one"):
            nuke.nodes.Output()
    assert len(group.nodes()) == 1


def test_a_node_takes_no_more_wires_than_its_class_has_inputs(running):
    source, dot = nuke.nodes.Constant(), nuke.nodes.Dot()
    assert dot.setInput(1, source) is False
    assert dot.inputs() == 0


def test_a_name_is_a_word_and_is_given_once(running):
    with pytest.raises(ValueError, match="no name of a node"):
        nuke.nodes.Dot(name="two words")
    first, second = nuke.nodes.Dot(name="Here"), nuke.nodes.Dot()
    second.setName("Here")
    assert (first.name(), second.name()) == ("Here", "Here1")


def test_nodes_of_two_groups_cannot_be_wired(running):
    outside = nuke.nodes.Dot()
    with nuke.nodes.Group(), pytest.raises(ValueError, match="two groups"):
        nuke.nodes.Dot(inputs=[outside])


@pytest.mark.parametrize("node_class", ["Wrte", "Shuffle"])
def test_a_class_that_is_not_there_cannot_be_made(running, node_class):
    with pytest.raises(RuntimeError, match="Unknown command"):
        getattr(nuke.nodes, node_class)()


def test_a_knob_that_is_not_there_cannot_be_named(running):
    read_node = nuke.nodes.Read()
    with pytest.raises(NameError, match="on_eror"):
        read_node["on_eror"].setValue("black")
    with pytest.raises(NameError, match="frist"):
        nuke.nodes.Read(frist=1)
    assert read_node.knob("on_eror") is None


def test_a_name_of_a_knob_is_given_once(running):
    group = nuke.nodes.Group()
    group.addKnob(nuke.Double_Knob("gain", "Gain"))
    with pytest.raises(ValueError, match="a knob named gain already"):
        group.addKnob(nuke.Double_Knob("gain", "Gain"))


def test_a_knob_of_text_takes_no_number(write_node):
    with pytest.raises(TypeError, match="file takes text"):
        write_node["file"].setValue(3)


@pytest.mark.parametrize(
    ("name", "words"), [("[date]/x.exr", "invalid command name"), ("[value Lost.file]", "no knob")]
)
def test_what_a_file_name_asks_for_has_to_exist(write_node, name, words):
    write_node["file"].setValue(name)
    assert raised(write_node).startswith(words)


def test_the_knobs_of_exr_files_come_with_the_file_type(running):
    node = nuke.nodes.Write()
    with pytest.raises(NameError, match="datatype"):
        node["datatype"].setValue("32 bit float")
    node["file_type"].setValue("exr")
    node["datatype"].setValue("32 bit float")


def test_a_menu_takes_its_own_entries_only(running):
    with pytest.raises(TypeError, match="blak"):
        nuke.nodes.Read(on_error="blak")


def test_a_channel_has_to_exist(running):
    copy = nuke.nodes.Copy()
    with pytest.raises(ValueError, match=r"shadow\.red"):
        copy["from0"].setValue("shadow.red")
    nuke.Layer("shadow", ["shadow.red"])
    copy["from0"].setValue("shadow.red")


def test_the_user_can_cancel_a_render_and_a_task(write_node, running):
    running.user_cancels_render = 2
    with pytest.raises(RuntimeError, match="Cancelled"):
        nuke.execute(write_node, 1, 3)
    running.user_cancels_progress = 1
    task = nuke.ProgressTask("work")
    assert [task.isCancelled(), task.isCancelled()] == [False, True]
    with pytest.raises(TypeError):
        task.setProgress(0.5)


def test_a_default_of_a_user_knob_is_not_saved(running, tmp_path):
    group = nuke.nodes.Group()
    for name in ("set", "defaulted"):
        group.addKnob(nuke.Double_Knob(name, name))
    group["set"].setValue(0.7)
    group["defaulted"].setDefaultValue([0.7])
    nuke.scriptSaveAs(str(tmp_path / "s.nk"))
    nuke.scriptOpen(str(tmp_path / "s.nk"))
    again = nuke.toNode("Group1")
    assert (again["set"].value(), again["defaulted"].value()) == (0.7, 0.0)


def test_a_knob_that_no_script_holds_is_not_saved(running, tmp_path):
    source = nuke.nodes.Read(name="Plate", last=7)
    source["rescan_range"].setValue(True)
    nuke.scriptSaveAs(str(tmp_path / "s.nk"))
    nuke.scriptOpen(str(tmp_path / "s.nk"))
    again = nuke.toNode("Plate")
    assert (again["last"].value(), again["rescan_range"].value()) == (7, False)


def test_a_script_is_written_after_its_callbacks_and_a_node_is_made_after_those_inside(running, tmp_path):
    with nuke.nodes.Group(name="Box"):
        nuke.nodes.Dot(name="Inside")
    nuke.addOnScriptSave(lambda: nuke.toNode("Box").setName("Crate"))
    nuke.scriptSaveAs(str(tmp_path / "s.nk"))
    heard = []
    nuke.addOnCreate(lambda: heard.append(nuke.thisNode().name()))
    nuke.scriptOpen(str(tmp_path / "s.nk"))
    assert heard[:2] == ["Inside", "Crate"]


def test_a_script_that_is_not_there_cannot_be_opened(running, tmp_path):
    with pytest.raises(RuntimeError, match=r"none\.nk: Can't read file"):
        nuke.scriptOpen(str(tmp_path / "none.nk"))


@pytest.mark.parametrize("gui", [True, False])
def test_a_menu_script_is_run_with_windows_only(tmp_path, monkeypatch, gui):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("init", "menu"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w').close()", encoding="utf-8")
    session.start(gui=gui)
    nuke.pluginAddPath(str(tmp_path))
    assert ((tmp_path / "init").exists(), (tmp_path / "menu").exists()) == (True, gui)


def test_a_frame_range_at_the_end_of_the_line_is_nukes_own(tmp_path):
    script = tmp_path / "s.py"
    script.write_text("import sys, nuke; print(sys.argv[1:], nuke.rawArgs[3:])", encoding="utf-8")
    line = [sys.executable, "-m", "fake_nuke", "-t", str(script), "--frames", "1001-1003"]
    told = subprocess.run(line, capture_output=True, text=True, check=True, cwd=session.__file__.rsplit("/", 2)[0])
    assert told.stdout.strip() == "['--frames'] ['--frames', '1001-1003']"
