"""The extension in real Blenders: put in place by `platekey install`, and from the zip by Blender itself."""

import os
import runpy
import subprocess

import pytest
from blender_host import ROOT, VERSIONS
from side_car import environment, platekey

from host_bridge.install.hosts import HOSTS

ENABLE = """
import bpy, addon_utils
found = [module.__name__ for module in addon_utils.modules()]
assert "bl_ext.user_default.platekey" in found, found
assert addon_utils.enable("bl_ext.user_default.platekey") is not None
"""

INSTALL_ZIP = """
import bpy
done = bpy.ops.extensions.package_install_files(filepath={zip!r}, repo="user_default", enable_on_install=True)
assert done == {{"FINISHED"}}, done
"""

USE = """
import os, sys
assert hasattr(bpy.types, "PLATEKEY_OT_process")
link = sys.modules["bl_ext.user_default.platekey.core.link"]
assert link.__file__.startswith({folder!r}), link.__file__
assert not any(name.split(".")[0] in ("plugin", "host_bridge") for name in sys.modules)
sys.stdout.write("works")
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(params=VERSIONS)
def blender(request, tmp_path):
    """Runs a script in a Blender whose settings folder is empty; returns what it printed."""
    python = ROOT / f".venv-bpy{request.param.replace('.', '')}" / "bin" / "python"
    if not python.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Blender {request.param} is not here")
    settings = tmp_path / "zoë's settings"

    def run(script):
        place = {"BLENDER_USER_RESOURCES": str(settings), "PYTHONDONTWRITEBYTECODE": ""}
        script += USE.format(folder=str(settings))
        done = subprocess.run(
            [python, "-c", script],
            env={**os.environ, **place},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.settings = settings
    return run


def test_the_installed_extension_is_found_and_works_and_leaves(blender, tmp_path):
    env = {**environment(tmp_path / "own"), "BLENDER_USER_RESOURCES": str(blender.settings)}
    assert platekey(env, "install", "blender").returncode == 0
    assert blender(ENABLE).endswith("works")
    assert list(blender.settings.rglob("*.pyc"))
    assert platekey(env, "uninstall", "blender").returncode == 0
    left = [path for path in blender.settings.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["compat.dat"], "Blender's own list of extensions"
    assert not (tmp_path / "own").exists()


def test_blender_installs_the_zip_itself(blender, tmp_path):
    build = runpy.run_path(str(ROOT / "packaging" / "build_host_zips.py"))["build"]
    assert blender(INSTALL_ZIP.format(zip=str(build(HOSTS["blender"], tmp_path)))).endswith("works")
