"""Rules of the house that a machine can hold. Each failure says where, and what to do."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor

import engine
import host_bridge
import plugin
from engine.settings import DEFAULT_LAYERS, Knobs
from host_bridge.wire.v1 import knob_pb2, matte_pb2

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ("engine", "host_bridge", "plugin", "packaging", "ocio_configs")

LIBRARY_LINES, TEST_LINES, FUNCTION_LINES = 250, 400, 60

OUTERMOST_DOORS = {
    "engine/service/interceptor.py",
    "engine/cli.py",
    "host_bridge/cli/__init__.py",
    "host_bridge/link/session.py",
}
"""Where an unforeseen error may be caught, to be reported: one a process at most."""


def tracked():
    """Paths of the files that git keeps, or would keep."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a checkout")
    paths = (ROOT / name for name in listing.splitlines())
    return [path for path in paths if path.is_file()]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def python_files(*folders):
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and relative(path).split("/")[0] in folders and "_pb2" not in path.name
    ]


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_check():
    assert len(python_files("engine")) > 20


def test_files_are_small_rooms():
    limits = [(path, LIBRARY_LINES) for path in python_files(*LIBRARY)]
    limits += [(path, TEST_LINES) for path in python_files("tests")]
    lengths = [(relative(path), len(path.read_text(encoding="utf-8").splitlines()), limit) for path, limit in limits]
    too_long = [entry for entry in lengths if entry[1] > entry[2]]
    assert not too_long, f"Cut these files where their subject changes (file, lines, limit): {too_long}"


def test_functions_are_short():
    too_long = [
        f"{relative(path)}:{node.lineno} {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for path in python_files(*LIBRARY, "tests")
        for node in functions(parsed(path))
        if node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not too_long, f"Give the steps inside these functions names of their own: {too_long}"


def test_public_functions_and_classes_have_docstrings():
    undocumented = []
    for path in python_files(*LIBRARY):
        for node in parsed(path).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                undocumented.append(f"{relative(path)}:{node.lineno} {node.name}")
    assert not undocumented, f"Say what these take, return and raise: {undocumented}"


def test_library_code_does_not_print():
    calls = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files("engine", "host_bridge", "plugin")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not calls, f"Log, return or show it through the command line: {calls}"


def test_only_the_outermost_doors_catch_everything():
    broad = set()
    for path in python_files(*LIBRARY):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {getattr(kind, "id", None) for kind in caught}
            if node.type is None or names & {"Exception", "BaseException"}:
                broad.add(relative(path))
    assert broad <= OUTERMOST_DOORS, f"Name the errors that can happen: {sorted(broad - OUTERMOST_DOORS)}"


def test_no_file_gathers_what_belongs_nowhere():
    vague = [relative(path) for path in tracked() if path.stem in {"utils", "util", "helpers", "common", "misc"}]
    assert not vague, f"Name these by their subject: {vague}"


def test_no_path_of_one_machine_is_tracked():
    pattern = re.compile(r"/work/(main|shared|\.)|/(root|farm|home/\w+)/|/tmp/(pk|bash)|[A-Z]:\\\\Users")
    texts = {".py", ".md", ".toml", ".proto", ".lua", ".fuse", ".json", ".yml", ".yaml", ".sh", ""}
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix in texts and path != Path(__file__).resolve() and path.stat().st_size < 1_000_000
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"Take the path from an argument, the environment or the repository's place: {found}"


def test_nothing_is_left_for_later():
    marker = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".lua", ".fuse", ".proto"} and "_pb2" not in path.name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marker.search(line)
    ]
    assert not found, f"Finish it, or take it out: {found}"


@pytest.mark.parametrize("folder", ["packaging", "tests"])
def test_folders_that_must_not_be_packages(folder):
    packages = [relative(path) for path in (ROOT / folder).rglob("__init__.py")]
    assert not packages, f"These would hide PyPI's packaging, or the code under test: {packages}"


def test_one_version_everywhere():
    packaged, newest, extension, fuse = (
        re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE).group(1)
        for name, pattern in (
            ("pyproject.toml", r'^version = "(.+)"'),
            ("CHANGELOG.md", r"^## \[([^\]]+)\]"),
            ("plugin/blender/blender_manifest.toml", r'^version = "(.+)"'),
            ("plugin/fusion/PlateKey.fuse", r"PlateKey (\S+):"),
        )
    )
    modules = {engine.__version__, host_bridge.__version__, plugin.__version__}
    assert modules | {newest, extension, fuse} == {packaged}


def declared_knobs():
    """Field name -> its declaration in the proto, without the knobs that only a host's merge uses."""
    fields = matte_pb2.Knobs.DESCRIPTOR.fields
    declared = {field.name: (field, field.GetOptions().Extensions[knob_pb2.knob]) for field in fields}
    return {name: pair for name, pair in declared.items() if not pair[1].merge_only}


def engine_value(field, knob):
    """A knob's initial value as `engine.settings` writes it: choices in lower case, without their enum's prefix."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        names = [value.name for value in field.enum_type.values]
        prefix = names[0].removesuffix("UNSPECIFIED")
        return knob.initial_text.removeprefix(prefix).removeprefix(f"{field.name.split('_')[0].upper()}_").lower()
    return knob.initial_text if field.type == FieldDescriptor.TYPE_STRING else knob.initial


def test_the_engines_knobs_are_the_protos():
    ours = vars(Knobs())
    assert list(ours) == list(declared_knobs()), "engine.settings.Knobs and Knobs in matte.proto name other knobs."


@pytest.mark.parametrize("name", [field.name for field in matte_pb2.Knobs.DESCRIPTOR.fields])
def test_a_knob_starts_where_the_proto_says(name):
    if name not in declared_knobs():
        assert not hasattr(Knobs(), name), "A knob for merging never reaches the engine."
        return
    value, (field, knob) = getattr(Knobs(), name), declared_knobs()[name]
    if name == "precision":
        assert knob.initial_text == "PRECISION_AUTO", "The service resolves auto by the device, before the pipeline."
        return
    assert value == engine_value(field, knob)


def test_default_layers_are_those_the_wire_promises():
    known = {name.lower() for name in matte_pb2.Layer.keys() if name != "LAYER_UNSPECIFIED"}  # noqa: SIM118
    assert set(DEFAULT_LAYERS) == known - {"fg", "cleanplate"}
