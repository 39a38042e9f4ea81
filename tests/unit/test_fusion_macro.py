"""Fusion's macro file, and the script that processes it, up to the side-car's door."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_comp import MACRO, Comp
from fusion_setting import Setting
from lupa import luajit21

from host_bridge.knobs import knob_specs
from plugin.core.errors import LinkError
from plugin.core.knobs import KNOBS
from plugin.fusion.macro import Macro, find_macro, knob_id
from plugin.fusion.process import main

ROOT = Path(__file__).resolve().parents[2]


def unreachable():
    raise AssertionError("no side-car is needed to say this")


def comp(tmp_path, **more):
    made = Comp(tmp_path / "shöt 1.comp", 10, 12, **more)
    made["PlateKeyFrame"].Input.footage = lambda frame: np.ones((4, 6, 4), np.float32)
    made["PlateKeyFrame"].SetInput("Space", "ACEScg")
    return made


def test_the_committed_macro_is_what_the_declaration_says():
    check = [sys.executable, "packaging/build_fusion_macro.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_macro_loads_and_nothing_in_it_dangles():
    setting = Setting(MACRO.read_text(encoding="utf-8"))
    assert setting.faults() == []
    assert sorted(setting.tools) == [
        "PlateKeyFrame",
        "PlateKeyKeyedResidual",
        "PlateKeyKeyedShadow",
        "PlateKeyKeyedSubject",
        "PlateKeyPlate",
    ]
    assert {tool["__class"]: tool.get("PassThrough") for tool in setting.tools.values()} == {
        "Saver": True,
        "Loader": None,
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('SourceOp = "PlateKeyPlate"', 'SourceOp = "PlateKeyPlat"', "there is no tool PlateKeyPlat"),
        ('Source = "EdgeShift"', 'Source = "EdgeShifts"', "PlateKeyFrame has no EdgeShifts"),
        ('ActiveTool = "PlateKeyMacro"', 'ActiveTool = "PlateKey"', "ActiveTool PlateKey is not there"),
        ('"SliderControl"', '"SlideControl"', "there is no SlideControl"),
        ("comp.CurrentTime)", "comp.CurrentTime", "its script is no Lua"),
    ],
)
def test_the_checker_finds_what_dangles(old, new, words):
    text = MACRO.read_text(encoding="utf-8")
    assert old in text
    assert any(words in fault for fault in Setting(text.replace(old, new, 1)).faults())


@pytest.mark.parametrize(
    ("old", "new"), [("= Saver {", "= Savor {"), ("},\n\t},\n", "},\n\t\n"), ("Input {", "Input ")]
)
def test_the_checker_refuses_what_is_no_setting(old, new):
    with pytest.raises(luajit21.LuaError):
        Setting(MACRO.read_text(encoding="utf-8").replace(old, new, 1))


@pytest.mark.parametrize("spec", [spec for spec in knob_specs() if not spec.merge_only], ids=lambda spec: spec.name)
def test_a_knob_of_the_macro_is_drawn_as_it_is_declared(spec):
    fields = Setting(MACRO.read_text(encoding="utf-8")).tools["PlateKeyFrame"]["UserControls"][knob_id(spec.name)]
    assert fields["INPS_StatusText"] == spec.help
    if spec.choices:
        labels = [fields[place]["CCS_AddString"] for place in range(1, len(spec.choices) + 1)]
        assert labels == [choice.label for choice in spec.choices]
    elif spec.kind != "text":
        assert (fields["INP_MinAllowed"], fields["INP_MaxAllowed"]) == (spec.low, spec.high)


def test_untouched_knobs_have_their_declared_values(tmp_path):
    macro = find_macro(comp(tmp_path))
    assert macro.knobs() == {knob.name: knob.initial for knob in KNOBS if not knob.merge_only}


def test_a_saver_of_the_macro_writes_only_while_it_exports(tmp_path):
    made = comp(tmp_path)
    made.Render({"Tool": made["PlateKeyFrame"], "Start": 10, "End": 10, "Wait": True})
    assert list(tmp_path.iterdir()) == []
    Macro(made, made["PlateKeyFrame"]).export_frame(str(tmp_path / "frame.0000.exr"), 11)
    assert [path.name for path in tmp_path.iterdir()] == ["frame.0011.exr"]
    assert made["PlateKeyFrame"].passed_through


def test_a_saver_of_the_macro_rests_again_where_fusion_renders_nothing(tmp_path):
    made = comp(tmp_path)
    made.refuses.add(11)
    with pytest.raises(LinkError, match="did not render frame 11"):
        Macro(made, made["PlateKeyFrame"]).export_frame(str(tmp_path / "frame.0000.exr"), 11)
    assert made["PlateKeyFrame"].passed_through


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Space": " "}, "its working space is not chosen"),
        ({}, "there is no clean plate. Connect one"),
        ({"PlateFrame": 99}, "the clean plate's frame 99 is outside the clip, 10-12"),
        ({"PlateFrame": 10, "Folder": "{file}/below"}, "cannot be written"),
    ],
)
def test_what_cannot_be_processed_is_one_sentence_in_macro_and_console(tmp_path, change, words):
    made, said = comp(tmp_path), []
    (tmp_path / "file").write_text("")
    for name, value in change.items():
        made["PlateKeyFrame"].SetInput(name, value.format(file=tmp_path / "file") if isinstance(value, str) else value)
    assert not main(made, said.append, unreachable)
    assert len(said) == 1
    assert words in said[0]
    assert words in made["PlateKeyFrame"].GetInput("Status").replace("\nDo          ", " ")


def test_unconnected_footage_is_one_sentence(tmp_path):
    made, said = comp(tmp_path), []
    made["PlateKeyFrame"].Input.footage = None
    assert not main(made, said.append, unreachable)
    assert "nothing is connected to the input 'Frame'" in said[0]


def test_an_unsaved_comp_wants_a_folder(tmp_path):
    made, said = Comp(None, 10, 12), []
    made["PlateKeyFrame"].Input.footage = lambda frame: np.ones((4, 6, 4), np.float32)
    assert not main(made, said.append, unreachable)
    assert "there is no folder for the results" in said[0]


def test_the_macro_that_is_meant_is_the_active_one_or_the_only_one(tmp_path):
    two = comp(tmp_path, macros=2)
    with pytest.raises(LinkError, match="This comp has PlateKeyMacro, PlateKeyMacro_1"):
        find_macro(two)
    two.ActiveTool = two["PlateKeyMacro_1"]
    assert find_macro(two).name == "PlateKeyMacro_1"
    with pytest.raises(LinkError, match="This comp has none"):
        find_macro(EmptyComp())


class EmptyComp:
    """A comp without tools."""

    ActiveTool = None

    def GetToolList(self, selected, kind):  # noqa: N802
        return {}


@pytest.mark.parametrize("as_table", [True, False])
def test_the_script_finds_the_package_where_it_is_installed(tmp_path, monkeypatch, as_table):
    fusion = tmp_path / "Fusion"
    scripts = fusion / "Scripts"
    scripts.mkdir(parents=True)
    package = fusion / "PlateKey" / "platekey"
    shutil.copytree(ROOT / "plugin" / "core", package / "core")
    (package / "fusion").mkdir()
    shutil.copy(ROOT / "plugin" / "__init__.py", package)
    for name in ("__init__.py", "macro.py", "process.py"):
        shutil.copy(ROOT / "plugin" / "fusion" / name, package / "fusion")
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    told = []

    class Fusion:
        def MapPathSegments(self, path):  # noqa: N802
            assert path == "Scripts:"
            return {1.0: str(tmp_path / "elsewhere"), 2.0: f"{scripts}/"} if as_table else [str(scripts)]

    monkeypatch.setattr(sys, "stdout", type("Console", (), {"write": lambda _, line: told.append(line)})())
    runpy.run_path(str(ROOT / "plugin" / "fusion" / "PlateKey_Process.py"), {"fusion": Fusion(), "comp": EmptyComp()})
    assert len(told) == 1
    assert told[0].startswith("Which PlateKey macro is meant? This comp has none.")
    for name in set(sys.modules) - known:
        if name.split(".")[0] == "platekey":
            del sys.modules[name]
