"""Training batches: anchored, turned alike, in pairs of one shot, and rendered subjects as soon as there are any."""

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.synthesis import foregrounds, textures
from engine.training import dataset

LUMINANCE = torch.tensor((0.2722287, 0.6740818, 0.0536895))


@pytest.fixture(scope="module")
def photos():
    return [np.abs(textures.noise(np.random.default_rng(0), 300, 20, 3))]


@pytest.fixture(scope="module")
def painted(photos):
    return np.stack([foregrounds.foreground(seed, photos) for seed in (0, 1)])


@pytest.fixture(scope="module")
def batches(photos, painted):
    made = dataset.Batches(dataset.Subjects(painted, None), photos, 128, 2, 3)
    return [made.batch(number) for number in range(16)]


def test_batches_are_anchored(batches):
    for batch in batches:
        valid = batch["valid"][:, 0] > 0
        luminance = (batch["plate"].permute(0, 2, 3, 1) @ LUMINANCE)[valid]
        assert float(luminance.clamp(min=1e-6).log().mean().exp()) == pytest.approx(0.18, rel=0.3)


def test_every_cell_size_comes_up_with_its_picture(batches):
    assert {int(batch["cell"]) for batch in batches} == {2, 4, 8}
    seen = {(int(batch["cell"]), batch["frame"].shape[-1]) for batch in batches}
    assert seen == {(2, 128), (2, 64), (4, 128), (8, 128)}
    for batch in batches:
        assert batch["alpha"].shape == (2, 1, *batch["frame"].shape[-2:])


def test_grain_is_measured_in_the_samples_own_light(batches):
    """Where nothing stands, frame and plate differ by the deviation that is stated, but for the plate's faults."""
    ratios = []
    for batch in batches:
        assert batch["noise"].shape == (2, 3, 2)
        assert bool((batch["noise"] >= 0).all())
        constant, slope = batch["noise"][..., None, None].unbind(2)
        stated = (constant + slope * batch["plate"].clamp(min=0)).sqrt()
        clear = ((batch["alpha"] == 0) & (batch["shadow"].amin(1, keepdim=True) > 0.99) & (batch["valid"] > 0))[:, 0]
        off = ((batch["frame"] - batch["plate"]).abs() / stated).mean(1)[clear]
        ratios += [float(off.median())] if len(off) > 2000 else []
    assert 0.5 < np.median(ratios) < 2


def test_a_plate_is_exposed_as_its_frame(photos, painted):
    """As all are in use: most of a sample's fault of exposure does not outlive the match."""
    faults = {"given": [], "left": []}
    for seed in range(16):
        given = dataset.shot(np.random.default_rng(seed), painted[0], photos, 128, 2)
        left = dataset._exposed(np.random.default_rng(seed), given).frames
        for name, sample in (("given", given[0]), ("left", left[0])):
            clear = (sample.alpha == 0) & (sample.shadow.min(2, keepdims=True) > 0.99) & (sample.valid > 0)
            light = [picture[clear[..., 0]].sum() for picture in (sample.frame, sample.plate)]
            faults[name] += [abs(np.log2(light[0] / light[1]))] if clear.mean() > 0.2 else []
    assert len(faults["left"]) > 5
    assert np.median(faults["left"]) < 0.6 * np.median(faults["given"])


def test_pairs_share_their_plate(batches):
    pairs = [batch for batch in batches if bool(batch["pairs"])]
    assert 0 < len(pairs) < len(batches)
    for batch in pairs:
        torch.testing.assert_close(batch["plate"][0], batch["plate"][1], rtol=0, atol=0)


def test_crops_of_one_sample_stay_together(batches):
    """Where nothing stands and no shadow falls, the frame is the plate but for its faults and grain."""
    found = []
    for batch in batches:
        clear = ((batch["alpha"] == 0) & (batch["shadow"].amin(1, keepdim=True) > 0.99) & (batch["valid"] > 0))[:, 0]
        frame, plate = (batch[name].mean(1)[clear].clamp(max=4) for name in ("frame", "plate"))
        if len(frame) > 2000:
            found.append(float(torch.corrcoef(torch.stack((frame, plate)))[0, 1]))
    assert np.median(found) > 0.8


def test_a_number_is_a_batch_whatever_was_made_before(photos, painted, batches):
    again = dataset.Batches(dataset.Subjects(painted, None), photos, 128, 2, 3)
    for number in (70, 5):
        later = again.batch(number)
    torch.testing.assert_close(later["frame"], batches[5]["frame"], rtol=0, atol=0)


def test_rendered_subjects_are_drawn_beside_painted_ones(tmp_path, painted):
    np.save(tmp_path / "0000001.npy", np.full((3, 8, 8, 4), 0.5, np.float16))
    subjects = dataset.Subjects(painted, tmp_path)
    shapes = [subjects.draw(np.random.default_rng(seed)).ndim for seed in range(40)]
    assert 8 < shapes.count(4) < 32


def test_painted_subjects_are_kept(tmp_path, photos):
    first = dataset.load_painted(tmp_path, "held-out", 2, photos)
    again = dataset.load_painted(tmp_path, "held-out", 2, [])
    np.testing.assert_array_equal(first, again)
    assert not list(tmp_path.glob("*.part"))


def test_a_render_that_vanished_is_named(tmp_path, painted):
    np.save(tmp_path / "0000001.npy", np.full((8, 8, 4), 0.5, np.float16))
    subjects = dataset.Subjects(painted, tmp_path)
    (tmp_path / "0000001.npy").unlink()
    with pytest.raises(EngineError, match=r"0000001\.npy cannot be read"):
        [subjects.draw(np.random.default_rng(seed)) for seed in range(40)]
