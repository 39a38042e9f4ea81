"""Draw ``plugin/blender/slate.exr``, what a Blender node shows where it has no result.

It holds every layer, because Blender learns from it which layers a result can have: run this again where one is added.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from OpenImageIO import FLOAT, ROI, ImageBuf, ImageBufAlgo, ImageSpec

from host_bridge.knobs import layer_names

TARGET = Path(__file__).resolve().parent.parent / "plugin" / "blender" / "slate.exr"

HEIGHT, WIDTH = 180, 320
STRIPE = 24
"""Width of a stripe, pixels."""

DARK, LIGHT = (0.25, 0.0, 0.20), (0.50, 0.0, 0.40)
"""Magenta, linear: no footage looks like this, so that nobody takes the slate for a picture."""

SENTENCES = (("PlateKey", 34, 80), ("no result for this frame", 20, 112))
"""Text, size and baseline, pixels."""

COLOUR_CHANNELS = {"shadow": "RGBA", "residual": "RGBA", "shadow_ratio": "RGB", "fg": "RGB", "cleanplate": "RGB"}
"""Channels of a layer; the others hold one, ``Y``."""


def main() -> None:
    """Draw the file."""
    picture = _picture()
    names, planes = list("RGBA"), [picture]
    for layer in layer_names():
        channels = COLOUR_CHANNELS.get(layer, "Y")
        names += [f"{layer}.{channel}" for channel in channels]
        planes.append(np.zeros((HEIGHT, WIDTH, len(channels)), np.float32))
    spec = ImageSpec(WIDTH, HEIGHT, len(names), "half")
    spec.channelnames = tuple(names)
    spec.attribute("compression", "zip")
    image = ImageBuf(spec)
    image.set_pixels(ROI(), np.concatenate(planes, axis=-1))
    if not image.write(str(TARGET)):
        raise SystemExit(image.geterror())


def _picture() -> np.ndarray:
    """``(HEIGHT, WIDTH, 4)`` float32: white text on stripes, opaque."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    light = ((x + y) // STRIPE % 2)[..., None]
    rgba = np.ones((HEIGHT, WIDTH, 4), np.float32)
    rgba[..., :3] = np.where(light, LIGHT, DARK)
    image = ImageBuf(rgba)
    for text, size, baseline in SENTENCES:
        ImageBufAlgo.render_text(
            image, WIDTH // 2, baseline, text, fontsize=size, textcolor=(1.0, 1.0, 1.0, 1.0), alignx="center"
        )
    return image.get_pixels(FLOAT)


if __name__ == "__main__":
    main()
