"""The project's own commands, on Linux, macOS and Windows: ``python packaging/develop.py setup|test|lint|demo``.

Standard library only. Each command first makes ``.venv`` what ``pyproject.toml`` asks for; where it is that already,
nothing is done. torch is installed first and by itself, so that pip never replaces a build that is there: a CUDA build
in ``.venv`` stays, and the environment variable PLATEKEY_TORCH names another one, as arguments of ``pip install``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "platekey-setup.sha256"
DEMO = ROOT / "out" / "demo"

OLDEST_PYTHON = (3, 10)
TORCH = "torch==2.13.0"
"""The build that the tests are run with."""
PIP = "pip>=25.1"
"""The first that knows dependency groups."""

# Processes of the tests at most: each may hold an engine.
_MOST = 4

CHECKS = {
    "ruff check": ["-m", "ruff", "check"],
    "ruff format": ["-m", "ruff", "format", "--check"],
    "mypy": ["-m", "mypy"],
    "import rules": ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
    "old Python": ["-c", "from vermin import main; main()", "--quiet", "--target=3.7-", "--violations", "plugin"],
    "wire stubs": ["packaging/gen_wire.py", "--check"],
    "host knobs": ["packaging/gen_knobs.py", "--check"],
    "Fusion's Fuse": ["packaging/build_fuse.py", "--check"],
    "Fusion's macro": ["packaging/build_fusion_macro.py", "--check"],
    "colour config": ["ocio_configs/generate.py", "--check"],
}

LAYERS = "shadow,residual,shadow_ratio,uncertainty,difference,validity,cleanplate"


def main() -> int:
    """Run one command and return its exit code."""
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(f"PlateKey needs Python {oldest} or newer; this is {sys.version.split()[0]}.")
    commands = {"setup": setup, "test": test, "lint": lint, "demo": demo}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    chosen = commands[parser.parse_args().command]
    os.chdir(ROOT)
    if chosen is not setup and setup() != 0:
        return 1
    return chosen()


def setup() -> int:
    """Make .venv; quick where nothing changed since the last time."""
    wanted = _wanted()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return 0
    if not PYTHON.exists():
        _say(f"Making {VENV.name} with Python {sys.version.split()[0]}")
        _check([sys.executable, "-m", "venv", VENV])
    _check([PYTHON, "-m", "pip", "install", "--quiet", "--upgrade", PIP])
    if _run([PYTHON, "-c", "import torch"], quiet=True) != 0:
        _say("Installing torch")
        _check([PYTHON, "-m", "pip", "install", *shlex.split(os.environ.get("PLATEKEY_TORCH", TORCH))])
    _say("Installing PlateKey for development")
    _check([PYTHON, "-m", "pip", "install", "--quiet", "--editable", ".[engine,reports]", "--group", "dev"])
    STAMP.write_text(wanted)
    return 0


def lint() -> int:
    """Run every check but the tests; all of them, even where one fails."""
    return _conclude(_checks())


def test() -> int:
    """Run every check and the tests; all of them, even where one fails."""
    codes = _checks()
    _say("Blender to test in")
    _run([PYTHON, "packaging/bpy_environments.py"])
    _say("Browser to test in")
    _run([PYTHON, "packaging/page_browser.py"])
    _say("pytest")
    codes["pytest"], summary = _tests()
    code = _conclude(codes)
    _write(summary)
    return code


def demo() -> int:
    """Make the shot, key it through a real engine, measure it, make pictures."""
    os.environ["PLATEKEY_HOME"] = str(DEMO / "home")
    platekey = [PYTHON, "-m", "host_bridge.cli"]
    _run([*platekey, "stop"], quiet=True)
    shutil.rmtree(DEMO, ignore_errors=True)
    began = time.monotonic()
    _say("Making the shot")
    _check([PYTHON, "-m", "engine.evaluation.demo", "shoot", DEMO])
    try:
        _check([PYTHON, "packaging/time_engine_start.py"])
        for depth in ("half", "float"):
            _say(f"Keying to {depth} files")
            (DEMO / depth).mkdir()
            _check([*platekey, "matte", DEMO / "shot" / "frame.####.exr", *_matte_options(depth)])
    finally:
        _run([*platekey, "stop"])
    _say("Measuring")
    _check([PYTHON, "-m", "engine.evaluation.demo", "report", DEMO])
    _write(f"layered EXR: {DEMO / 'half'}")
    _write(f"The demo took {time.monotonic() - began:.0f} s.")
    return 0


def _matte_options(depth: str) -> list[str | Path]:
    plate, result = DEMO / "shot" / "cleanplate.exr", DEMO / depth / "keyed.####.exr"
    spaces = ["--colorspace", "ACEScg", "--output-colorspace", "ACEScg"]
    return ["--clean-plate", plate, "-o", result, "--depth", depth, "--layers", LAYERS, *spaces]


def _checks() -> dict[str, int]:
    codes = {}
    for name, arguments in CHECKS.items():
        _say(name)
        codes[name] = _run([PYTHON, *arguments])
    return codes


def _tests() -> tuple[int, str]:
    """Run pytest, show its output as it comes, and return its exit code and last line."""
    # A process a core, each of one thread: threads that wait for one another on a busy core cost minutes.
    command = [str(PYTHON), "-m", "pytest", "-q", "-n", str(min(os.cpu_count() or 1, _MOST)), "--dist", "loadfile"]
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    last = ""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **pipes, env=environment, text=True, errors="replace") as run:
        for line in run.stdout or ():
            _write(line.rstrip("\n"))
            last = line.strip() or last
    return run.returncode, last


def _conclude(codes: dict[str, int]) -> int:
    _say("Summary")
    for name, code in codes.items():
        _write(f"{'passed' if code == 0 else 'FAILED'}  {name}")
    return int(any(codes.values()))


def _wanted() -> str:
    """What the environment is made from, as a hash."""
    torch = os.environ.get("PLATEKEY_TORCH", TORCH)
    parts = [(ROOT / "pyproject.toml").read_bytes(), torch.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _check(command: list[str | Path]) -> None:
    """Run a command that the next one needs; leave with its exit code where it fails."""
    code = _run(command)
    if code != 0:
        sys.exit(code)


def _run(command: list[str | Path], quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.call([str(part) for part in command], stdout=output, stderr=output)


def _say(step: str) -> None:
    _write(f"\n== {step}")


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
