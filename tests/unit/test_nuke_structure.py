"""The node as a script: a checker that finds planted faults finds none in it, and Python 3.7 can read all of it."""

import os
import shutil
import subprocess
from pathlib import Path

import nuke
import pytest
from fake_nuke import script, session
from nk_script import commands, knob_values, user_knob
from nk_structure import problems
from platekey.nuke import build

import plugin

PLUGIN = Path(plugin.__file__).parent

GROUP = 'Group {\n inputs 0\n name G\n addUserKnob {7 gain l "Gain [x]" t "how much \\"of it\\"" R 0 2}\n}\n'
READ = "Read {\n inputs 0\n name Read1\n}\n"
INSIDE = " Input {\n  inputs 0\n }\n Output {\n }\nend_group\n"
WHOLE = f"version 15.1 v3\n{READ}set N1 [stack 0]\npush $N1\n{GROUP}{INSIDE}"


@pytest.fixture
def node():
    running = session.start()
    return running, build.create()


def test_a_sound_script_has_no_problems():
    assert problems(WHOLE) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (WHOLE.replace("end_group\n", ""), "Group G has no end_group"),
        (WHOLE + "end_group\n", "end_group without a Group"),
        (WHOLE.replace("Output {\n }", "Output {\n }\n Input {\n inputs 0\n number 1\n }\n Output {\n }"), "2 Outputs"),
        (WHOLE.replace(" Output {\n }\n", ""), "0 Outputs"),
        (WHOLE.replace("inputs 0\n }", "inputs 0\n number 2\n }"), "numbered [2]"),
        (WHOLE.replace("$N1", "$N2"), "nothing was ever set as $N2"),
        (WHOLE.replace("name Read1\n", "name Read1\n on_eror black\n"), "Read has no knob 'on_eror'"),
        (WHOLE.replace("name Read1\n", "name Read1\n on_error blak\n"), "on_error has no entry 'blak'"),
        (WHOLE.replace("Read {", "Raed {"), "Raed is not among the classes"),
        (WHOLE.replace("name Read1\n}", "name Read1\n"), "'{' is left open"),
        (WHOLE.replace("name Read1", 'name "Read1'), "a quote is left open"),
        (WHOLE.replace("Gain [x]", "Gain {x"), "left open"),
        (WHOLE.replace("{7 gain", "{99 gain"), "a kind of knob, 99"),
        ("Dot {\n}\n", "Dot takes 1 inputs and the stack holds 0"),
        ("set N1 [stack 0]\n", "the stack is empty"),
        ("add_layer {shadow light.red}\n", "channels of another layer"),
        ("Raed\n", "no node and no command"),
        (WHOLE.replace(" Output {\n }", " Switch {\n which {{parent.outptu}}\n }\n Output {\n }"), "parent.outptu"),
        (WHOLE.replace("name G\n", 'name G\n knobChanged "if (a := 1): pass"\n'), "no Python 3.7"),
        (WHOLE.replace("name G\n", 'name G\n knobChanged "from functools import cache"\n'), "newer than 3.7"),
        (WHOLE.replace("name G\n", 'name G\n knobChanged "import numpy"\n'), "imports numpy"),
        (WHOLE.replace("name G\n", 'name G\n onCreate "from platekey.nuke import buttons"\n'), "without a try"),
        (WHOLE.replace("name G\n", 'name G\n addUserKnob {22 go l Go T "def"}\n'), "script of go is no Python"),
    ],
)
def test_a_planted_fault_is_found(fault, words):
    assert any(words in problem for problem in problems(fault)), problems(fault)


def test_the_node_is_a_sound_script(node):
    running, group = node
    text = script.to_script(running)
    assert problems(text) == []
    assert text.count("end_group") == 1
    assert text.count("\n Output {") == 1
    assert text.count("buttons.") == 8
    assert group.Class() == "Group"


def test_the_node_survives_being_saved_and_opened(node, tmp_path):
    _, group = node
    before = script.nodes_to_script(session.running(), [group])
    nuke.scriptSaveAs(str(tmp_path / "s.nk"))
    nuke.scriptOpen(str(tmp_path / "s.nk"))
    after = nuke.toNode("PlateKey1")
    assert _without_addresses(script.nodes_to_script(session.running(), [after])) == _without_addresses(before)


def _without_addresses(text):
    """The script as a tree: names of the stack's variables come from where the nodes lie in memory."""
    order = {}
    for command in commands(text.replace("end_group", "")):
        if command.name == "set":
            order.setdefault(command.words[1].text, f"N{len(order)}")
    for name, short in order.items():
        text = text.replace(name, short)
    return text


def test_words_of_a_script_are_read_as_they_were_meant():
    (command,) = commands('Text {\n message "a \\"b\\" \\[c]\\nd" ; size {1 {2 3}}\n}')
    assert command.name == "Text"
    assert knob_values(command.words[1].text) == [("message", 'a "b" [c]\nd', 2), ("size", "{1 {2 3}}", 2)]
    assert user_knob('4 mode l "The mode" M {a "b c" ""} +STARTLINE')["M"] == 'a "b c" ""'


def test_every_module_can_be_imported_by_a_real_python_3_7():
    """Nuke 13's; what a checker of grammar cannot see, such as an annotation that is evaluated."""
    environment = {**os.environ, "PYENV_VERSION": "3.7"}
    old = shutil.which("python3.7")
    if not old or subprocess.run([old, "-c", ""], check=False, capture_output=True, env=environment).returncode:
        pytest.skip("there is no Python 3.7 here")
    names = ", ".join(f"plugin.nuke.{path.stem}" for path in (PLUGIN / "nuke").glob("[a-z]*.py"))
    stand_in = "import sys; from unittest.mock import MagicMock; sys.modules['nuke'] = MagicMock()"
    subprocess.run([old, "-c", f"{stand_in}; import {names}"], check=True, cwd=PLUGIN.parent, env=environment)
