import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import PyOpenColorIO
import pytest
import torch

from engine.network.platenet import encode
from engine.pipeline.colour import SHIPPED, check_linear, load_config

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "ocio_configs"
BASE = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
BUILTIN = PyOpenColorIO.Config.CreateFromBuiltinConfig(BASE)


@pytest.fixture
def shipped():
    return load_config(SHIPPED).ocio


def test_the_file_is_what_the_generator_writes():
    command = [sys.executable, str(FOLDER / "generate.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0


def test_the_check_notices_a_change(tmp_path, monkeypatch):
    edited = tmp_path / "platekey_v1.ocio"
    edited.write_text((FOLDER / "platekey_v1.ocio").read_text().replace("Non-Color", "Non-Colour"))
    (tmp_path / "generate.py").write_text((FOLDER / "generate.py").read_text())
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(tmp_path / "generate.py"), run_name="__main__")
    assert left.value.code == 1


def test_it_needs_no_newer_library_than_it_says(shipped):
    assert (shipped.getMajorVersion(), shipped.getMinorVersion()) == (2, 4)
    shipped.validate()


def test_every_space_of_the_studio_config_is_unchanged(shipped):
    for space in BUILTIN.getColorSpaces(PyOpenColorIO.SEARCH_REFERENCE_SPACE_ALL, PyOpenColorIO.COLORSPACE_ALL):
        ours = shipped.getColorSpace(space.getName())
        assert set(space.getAliases()) <= set(ours.getAliases())
        to_reference = PyOpenColorIO.COLORSPACE_DIR_TO_REFERENCE
        assert str(ours.getTransform(to_reference)) == str(space.getTransform(to_reference))
    assert dict(shipped.getRoles()) == dict(BUILTIN.getRoles())


@pytest.mark.parametrize(
    ("host_name", "studio_name"),
    [
        ("Linear Rec.709", "lin_rec709"),
        ("Linear DCI-P3 D65", "lin_p3d65"),
        ("Linear Rec.2020", "lin_rec2020"),
        ("Linear CIE-XYZ D65", "cie_xyz_d65_scene"),
        ("sRGB", "srgb_tx"),
        ("Non-Color", "Raw"),
        ("scene_linear", "ACEScg"),
    ],
)
def test_names_of_hosts(shipped, host_name, studio_name):
    assert shipped.getColorSpace(host_name).getName() == BUILTIN.getColorSpace(studio_name).getName()


def test_a_name_that_means_two_things_is_not_known(shipped):
    assert shipped.getColorSpace("linear") is None


def test_blender_linear_is_rec709_by_its_numbers(shipped):
    """Second formulation: the luminance row of ITU-R BT.709, through CIE XYZ."""
    colours = np.eye(3, dtype=np.float32)[None]
    processor = shipped.getProcessor("Linear Rec.709", "Linear CIE-XYZ D65").getDefaultCPUProcessor()
    processor.applyRGB(colours)
    np.testing.assert_allclose(colours[0, :, 1], [0.2126, 0.7152, 0.0722], atol=1e-4)
    check_linear(load_config(SHIPPED), "Linear Rec.709")


def test_platekey_log_is_the_networks_encoding(shipped):
    linear = np.array([-0.25, 0, 1e-5, 0.01, 0.18, 1, 40, 500, 65504], np.float32).reshape(1, 3, 3)
    seen = linear.copy()
    processor = shipped.getProcessor("ACEScg", "PlateKey Log")
    processor.getOptimizedCPUProcessor(PyOpenColorIO.OPTIMIZATION_LOSSLESS).applyRGB(seen)
    np.testing.assert_allclose(seen, encode(torch.from_numpy(linear)), atol=1e-6)
    assert shipped.getColorSpace("platekey_log").getEncoding() == "log"


def test_the_wheel_carries_it_where_the_engine_looks():
    carried = '"ocio_configs/platekey_v1.ocio" = "engine/pipeline/colour/platekey_v1.ocio"'
    assert carried in (ROOT / "pyproject.toml").read_text()
