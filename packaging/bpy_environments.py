"""Real Blenders to test in and to render training data with: ``python packaging/bpy_environments.py [4.5] [5.0]``.

PyPI's ``bpy`` is Blender as a Python module. It is never installed into ``.venv``: each version has an environment of
its own, ``.venv-bpy45`` and ``.venv-bpy50``, and is driven as a subprocess. 350 MB to download each, 1 GB on disk;
an environment that is complete is left as it is. The tests of a Blender that is not here skip, or fail where CI is set.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

RELEASES = {"4.5": "4.5.15", "5.0": "5.0.1"}
"""Tested release by version: the LTS and the one after it, as of November 2026."""

PYTHON = (3, 11)
"""The Python of both releases; their wheels are for no other."""

_ATTEMPTS = 2
"""A download of this size breaks off now and then."""


def folder(version: str) -> Path:
    """The environment of a version."""
    return ROOT / ".venv-bpy{}".format(version.replace(".", ""))


def python(version: str) -> Path:
    """The interpreter of a version's environment, whether it is there or not."""
    return folder(version) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def complete(version: str) -> bool:
    """Whether a version's environment is all there."""
    stamp = _stamp(version)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == RELEASES[version]


def make(version: str) -> str:
    """Make a version's environment; quick where it is complete.

    Returns:
        Empty where all is well, else one sentence that says why not.
    """
    if complete(version):
        return ""
    interpreter = _interpreter()
    if interpreter is None:
        return f"Blender {version} needs Python {'.'.join(map(str, PYTHON))}, which is not on the search path."
    if not python(version).exists() and subprocess.call([interpreter, "-m", "venv", str(folder(version))]) != 0:
        return f"{folder(version).name} cannot be made."
    sys.stdout.write(f"Installing Blender {RELEASES[version]} into {folder(version).name}\n")
    sys.stdout.flush()
    install = [str(python(version)), "-m", "pip", "install", "--quiet", f"bpy=={RELEASES[version]}"]
    if not any(subprocess.call(install) == 0 for _ in range(_ATTEMPTS)):
        return f"Blender {RELEASES[version]} cannot be downloaded."
    _stamp(version).write_text(RELEASES[version], encoding="utf-8")
    return ""


def _stamp(version: str) -> Path:
    return folder(version) / "platekey-bpy.txt"


def _interpreter() -> str | None:
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    return shutil.which("python{}.{}".format(*PYTHON))


def main() -> int:
    """Make the environments asked for; 1 where one cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"of {', '.join(RELEASES)}; all where none")
    versions = parser.parse_args().versions or list(RELEASES)
    if unknown := sorted(set(versions) - set(RELEASES)):
        parser.error(f"{', '.join(unknown)} is none of {', '.join(RELEASES)}")
    problems = [problem for version in versions if (problem := make(version))]
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
