"""Writes platekey_v1.ocio from OpenColorIO's built-in studio configuration; ``--check`` only compares, in silence.

python ocio_configs/generate.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PyOpenColorIO import COLORSPACE_DIR_TO_REFERENCE, REFERENCE_SPACE_SCENE, BuiltinTransform, ColorSpace, Config

FILE = Path(__file__).with_name("platekey_v1.ocio")

BASE = "studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
"""Pinned: "latest" would change with the library. The newest that OpenColorIO 2.4, the oldest supported, can load."""

ALIASES = {
    "Linear Rec.709 (sRGB)": ("Linear Rec.709",),
    "Linear P3-D65": ("Linear DCI-P3 D65",),
    "CIE XYZ-D65 - Scene-referred": ("Linear CIE-XYZ D65",),
    "sRGB Encoded Rec.709 (sRGB)": ("sRGB",),
    "Raw": ("Non-Color",),
}
"""Names of Blender's stock configuration (4.0 and later) for spaces that the studio configuration has under others."""


def build() -> Config:
    """Return the configuration."""
    config = Config.CreateFromBuiltinConfig(BASE)
    config.setName("platekey_v1")
    config.setDescription(
        f"PlateKey's default: {BASE} with the names hosts use, and the network's encoding to look at."
    )
    for name, aliases in ALIASES.items():
        space = config.getColorSpace(name)
        for alias in aliases:
            space.addAlias(alias)
        config.addColorSpace(space)
    config.addColorSpace(platekey_log())
    config.validate()
    return config


def platekey_log() -> ColorSpace:
    """Return the space in which the network sees, at an exposure anchor of 1: ACEScct (Academy S-2016-001)."""
    space = ColorSpace(
        referenceSpace=REFERENCE_SPACE_SCENE,
        name="PlateKey Log",
        aliases=["platekey_log"],
        family="PlateKey",
        encoding="log",
        description="What the network sees, at an exposure anchor of 1: the ACEScct curve on ACEScg primaries.",
    )
    space.setTransform(BuiltinTransform(style="ACEScct_to_ACES2065-1"), COLORSPACE_DIR_TO_REFERENCE)
    return space


def main() -> int:
    """Write the file, or compare; 1 where it differs.

    Configurations are compared as the installed library writes them both: versions differ in where they put quotes.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = build().serialize()
    if not parser.parse_args().check:
        FILE.write_text(text, encoding="utf-8", newline="\n")
        return 0
    return int(Config.CreateFromFile(str(FILE)).serialize() != text)


if __name__ == "__main__":
    sys.exit(main())
