"""How the solve works: in strips whose number nobody sees, and with a rounding of its own."""

import cv2
import numpy as np
import pytest
from scenes import shot, with_grain

from engine.pipeline.solve import pieces, solve
from engine.pipeline.solve.rounding import rounded
from engine.settings import Knobs
from engine.values import Array, Matte, Photometric, Plate, Solution

SIZE = (96, 160)
FIT = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((2e-5, 2e-4),) * 3)


@pytest.fixture(scope="module")
def parts():
    """Frame, plate, matte, garbage and core: a soft subject, a doubted shadow beside it, a hole in the plate."""
    rng = np.random.default_rng(4)
    background, subject = shot(SIZE, 3), shot(SIZE, 8)
    alpha, cover = np.zeros((2, *SIZE), np.float32)
    alpha[20:70, 60:100], cover[50:90, 20:130] = 1, 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 3)
    shadow = 1 - cv2.GaussianBlur(cover, (0, 0), 3)[..., None] * np.float32((0.7, 0.68, 0.65))
    frame = with_grain(alpha[..., None] * subject + (1 - alpha[..., None]) * shadow * background, 5)
    valid = np.ones(SIZE, bool)
    valid[30:60, :12] = valid[40:44, 70:80] = False
    told = np.maximum(alpha, 0.5 * (rng.random(SIZE) < 0.1)).astype(np.float32)
    matte = Matte(told, shadow, rng.uniform(0, 0.2, SIZE).astype(np.float32), subject)
    garbage, core = np.zeros((2, *SIZE), np.float32)
    garbage[:, 140:], core[40:50, 75:85] = np.linspace(0, 1, 20), 1
    return frame, Plate(with_grain(background, 6) * valid[..., None], valid), matte, garbage, core


def solved(parts, monkeypatch, rows, **knobs) -> Solution:
    frame, plate, matte, garbage, core = parts
    monkeypatch.setattr(pieces, "_SAMPLES", rows * SIZE[1])
    return solve(frame, plate, matte, FIT, Knobs(**knobs), garbage, core)


def arrays(solution: Solution) -> dict[str, Array]:
    return {name: value for name, value in vars(solution).items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("knobs", [{}, {"shadow_color": "rgb", "edge_shift": 1.5, "despill": 0.3, "mix": 0.8}])
def test_no_seam_shows_where_strips_meet(parts, monkeypatch, knobs):
    whole, strips = (arrays(solved(parts, monkeypatch, rows, depth="float", **knobs)) for rows in (SIZE[0], 8))
    for name, values in whole.items():
        np.testing.assert_allclose(strips[name], values, rtol=1e-4, atol=2e-5, err_msg=name)


def test_the_number_of_threads_changes_nothing(parts, monkeypatch):
    before, results = cv2.getNumThreads(), []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        results.append(arrays(solved(parts, monkeypatch, 8)))
    cv2.setNumThreads(before)
    for name, values in results[0].items():
        np.testing.assert_array_equal(results[1][name], values, err_msg=name)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_rounding_is_that_of_ieee_754(real):
    """Every half, every tie between two, and what lies next to the ties."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = np.sort(halves[np.isfinite(halves)].astype(real))
    ties = (halves[1:] + halves[:-1]) / 2
    values = np.concatenate([halves, ties, np.nextafter(ties, real(np.inf)), np.nextafter(ties, real(-np.inf))])
    np.testing.assert_array_equal(rounded(values, half=True), values.astype(np.float16).astype(np.float32))


def test_rounding_hides_nothing_that_half_cannot_hold():
    values = rounded(np.float32([65520, -1e30, np.inf, np.nan]), half=True)
    assert (~(np.abs(values) <= 65504)).all()
