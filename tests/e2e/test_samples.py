"""Real photographs with hand-held clean plates, where they are at hand: what an artist would look at first."""

from pathlib import Path

import numpy as np
import pytest
from exr_files import read, source

from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, MatteJob

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
SPACE = "sRGB - Texture"

# (rows, columns) of places whose matte anybody can tell.
SOLID = {
    "0001": {"face": (480, 640, 730, 900), "dress": (820, 1040, 650, 1000), "hair": (330, 390, 700, 880)},
    "1000": {"face": (470, 580, 660, 740), "dress": (840, 1040, 650, 1000), "hair": (380, 520, 760, 920)},
}
EMPTY = {"sky": (60, 200, 60, 1100), "chimney": (120, 500, 1180, 1260), "roofs": (700, 1000, 40, 440)}


@pytest.fixture(scope="module")
def session():
    return Session("cpu", 1 << 28)


@pytest.mark.samples
@pytest.mark.slow
@pytest.mark.parametrize("pair", ["0001", "1000"])
def test_a_photograph_is_keyed(session, tmp_path, pair):
    if not SAMPLES.is_dir():
        pytest.skip("the sample photographs are not here")
    frame, plate = (source(SAMPLES / f"{pair}_{name}.png", SPACE) for name in ("img", "back"))
    job = MatteJob(Knobs(), ("validity",), "platekey://studio", "lin_rec709", "cpu")
    data, report = matte_frame(job, FrameJob(1, frame, plate), session, lambda _: None, lambda: False)
    assert report.residual_median_px < 1
    (tmp_path / "keyed.exr").write_bytes(data)
    spec, pixels = read(tmp_path / "keyed.exr")
    alpha = pixels[..., spec.channelnames.index("A")]
    for top, bottom, left, right in SOLID[pair].values():
        assert np.quantile(alpha[top:bottom, left:right], 0.001) > 0.9
    for top, bottom, left, right in EMPTY.values():
        assert alpha[top:bottom, left:right].mean() < 0.005
