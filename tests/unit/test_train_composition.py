"""The 2020 network's supervised recipe: its layout, its augmentation and its losses."""

import cv2
import numpy as np
import pytest
import torch
from cutout_folder import write_cutouts

from engine.errors import EngineError
from engine.network import library
from engine.network.table import load_keyer
from engine.training.commands import run_export
from engine.training.composition import CompositionRecipe, augment, learning, painted
from engine.training.composition.cutouts import find_cutouts
from engine.training.composition.learning import supervised_terms
from engine.training.composition.samples import CompositionSource
from engine.training.config import Composition, Config, Run
from engine.training.export import export
from engine.training.trainer import Trainer


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    return write_cutouts(tmp_path_factory.mktemp("set") / "data")


def recipe(data, **settings):
    return Composition(data, held_out=1, size=64, batch=2, **settings)


def test_subjects_and_backgrounds_are_found_by_name(cutouts):
    found = find_cutouts(cutouts)
    assert [subject.alpha.name for subject in found.subjects] == ["s0.png", "s1.png", "s2.png"]
    assert [path.name for path in found.backgrounds] == ["b0.jpg", "b1.jpg"]
    colour, alpha = found.subjects[0].read()
    assert colour.shape == (*alpha.shape, 3) == (96, 96, 3)


def resize(path, width):
    cv2.imwrite(str(path), np.zeros((96, width), np.uint8))


@pytest.mark.parametrize(
    ("change", "reason", "sentence"),
    [
        (lambda data: (data / "alpha" / "s1.png").unlink(), "FILE_MISSING", "has no alpha for .*s1.png"),
        (lambda data: resize(data / "alpha" / "s1.png", 95), "SIZE_MISMATCH", "s1.png is 95 x 96, .* is 96 x 96"),
        (lambda data: (data / "fg" / "s1.png").write_bytes(b"no"), "IMAGE_UNREADABLE", "s1.png cannot be read"),
        (lambda data: [path.unlink() for path in (data / "bg").iterdir()], "FILE_MISSING", "no pictures in .*bg"),
        (
            lambda data: [path.unlink() for path in (data / "fg").glob("s[12]*")],
            "FILE_MISSING",
            "1 subjects, and 1 are",
        ),
    ],
)
def test_a_folder_that_lacks_something_is_named(tmp_path, change, reason, sentence):
    change(write_cutouts(tmp_path / "data"))
    with pytest.raises(EngineError, match=sentence) as refused:
        _ = CompositionSource(recipe(tmp_path / "data"), 1, held_out=False).cutouts
    assert refused.value.reason == reason


def test_a_picture_that_breaks_off_is_named_when_it_is_met(tmp_path):
    data = write_cutouts(tmp_path / "data")
    for path in (data / "bg").iterdir():
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(EngineError, match=r"b\d.jpg cannot be read"):
        CompositionSource(recipe(data), 1, held_out=False).batch(0, 0)


def test_held_out_subjects_are_never_trained(cutouts):
    trained, kept = (CompositionSource(recipe(cutouts), 1, held_out).cutouts.subjects for held_out in (False, True))
    assert [subject.colour.stem for subject in trained] == ["s0", "s1"]
    assert [subject.colour.stem for subject in kept] == ["s2"]


def test_held_out_backgrounds_are_never_trained(cutouts):
    sides = [
        CompositionSource(recipe(cutouts, held_out_backgrounds=1), 1, held_out).cutouts for held_out in (False, True)
    ]
    assert [[path.name for path in side.backgrounds] for side in sides] == [["b0.jpg"], ["b1.jpg"]]
    shared = [CompositionSource(recipe(cutouts), 1, held_out).cutouts.backgrounds for held_out in (False, True)]
    assert shared[0] == shared[1]
    with pytest.raises(
        EngineError, match=r"bg has 2 backgrounds, and 2 are held out.*composition.held_out_backgrounds"
    ):
        _ = CompositionSource(recipe(cutouts, held_out_backgrounds=2), 1, held_out=False).cutouts


def test_batches_are_pure_functions_of_their_number_in_the_networks_scale(cutouts):
    source = CompositionSource(recipe(cutouts), 1, held_out=False)
    batch, again = source.batch(5, 0.1), CompositionSource(recipe(cutouts), 1, held_out=False).batch(5, 0.9)
    assert all(torch.equal(value, again[name]) for name, value in batch.items())
    channels = {name: value.shape[1] for name, value in batch.items()}
    assert channels == {
        "image": 3,
        "plate": 3,
        "segmentation": 1,
        "motion": 4,
        "alpha": 1,
        "foreground": 3,
        "background": 3,
    }
    assert all(value.shape[2:] == (64, 64) for value in batch.values())
    assert all(-1.0001 <= float(value.min()) <= float(value.max()) <= 1.0001 for value in batch.values())
    assert float(batch["alpha"].max()) == 1


def test_all_pictures_are_cut_alike_about_the_soft_band():
    alpha = np.tile(np.clip(128 + 3 * (np.arange(200) - 150), 0, 255).astype(np.uint8), (300, 1))
    colour = np.repeat(alpha[..., None], 3, 2)
    for seed in range(5):
        first, second = augment.crop(np.random.default_rng(seed), (colour, alpha), alpha, 64)
        np.testing.assert_allclose(first[..., 0], second, atol=1 / 255)
        assert 0.02 < second.mean() < 0.98


def test_half_black_over_white_is_grey_as_published_and_lighter_in_light():
    black, white, half = np.zeros((1, 1, 3)), np.ones((1, 1, 3)), np.full((1, 1, 1), 0.5)
    assert augment.over(black, half, white, linear=False).mean() == 0.5
    assert augment.over(black, half, white, linear=True).mean() == pytest.approx(0.7354, abs=1e-3)


def test_plates_get_grain_or_another_gamma():
    grey = np.full((64, 64, 3), 0.5, np.float32)
    plates = [augment.faulty_plate(np.random.default_rng(seed), grey) for seed in range(200)]
    grainy = [plate for plate in plates if plate.std() > 1e-3]
    assert 0.3 < len(grainy) / len(plates) < 0.5
    assert all(1.8 < 255 * plate.std() < 5.3 and abs(plate.mean() - 0.5) < 8 / 255 for plate in grainy)
    exponents = [np.log(plate.mean()) / np.log(0.5) for plate in plates if plate.std() <= 1e-3]
    assert np.std(exponents) == pytest.approx(0.12, abs=0.03)


def test_a_shifted_plate_moves_by_so_many_pixels_at_most():
    ramp = np.tile(np.arange(64, dtype=np.float32)[:, None, None], (1, 64, 3))
    assert augment.shifted(np.random.default_rng(0), ramp, 0) is ramp
    moves = [augment.shifted(np.random.default_rng(seed), ramp, 3.0)[32, 32, 0] - 32 for seed in range(20)]
    assert 1 < max(moves) <= 3.2
    assert -3.2 <= min(moves) < -1


def test_the_cue_covers_the_subject_clumsily():
    alpha = np.zeros((512, 512), np.float32)
    alpha[150:400, 150:400] = 1
    cues = [augment.segmentation(np.random.default_rng(seed), alpha) for seed in range(6)]
    assert all(cue[:60].max() == 0 and cue[200:350, 200:350].mean() > 0.85 for cue in cues)
    assert all(cue.min() >= 0 and cue.max() <= 1.0001 for cue in cues)


def test_the_motion_cue_is_four_grey_neighbours():
    alpha = np.zeros((64, 64, 1), np.float32)
    alpha[20:44, 20:44] = 1
    colour, plate = np.full((64, 64, 3), 0.8, np.float32), np.full((64, 64, 3), 0.2, np.float32)
    frames = augment.motion(np.random.default_rng(1), colour, alpha, plate)
    assert frames.shape == (64, 64, 4)
    still = np.where(alpha[..., 0] > 0, 0.8, 0.2)
    differing = [np.abs(frames[..., index] - still).max() > 1e-3 for index in range(4)]
    assert any(differing)
    assert not all(differing)
    assert np.abs(frames[:4, :4] - 0.2).max() < 1e-3


@pytest.mark.parametrize("linear", [False, True])
def test_a_perfect_answer_costs_nothing(cutouts, linear):
    light = "linear" if linear else "display"
    batch = CompositionSource(recipe(cutouts, light=light), 1, held_out=False).batch(0, 0)
    terms = supervised_terms(batch["alpha"], batch["foreground"], batch, linear)
    assert all(float(value) < 0.01 for value in terms.values())
    assert float(terms["alpha"]) == 0


def test_losses_are_counted_on_the_published_scale():
    ones = torch.ones(1, 3, 16, 16)
    batch = {"alpha": ones[:, :1], "foreground": ones * 0.5, "background": -ones, "image": ones * 0.5}
    terms = supervised_terms(-ones[:, :1], ones * 0.25, batch, linear=False)
    assert {name: round(float(value), 4) for name, value in terms.items()} == {
        "alpha": 2.0,
        "foreground": 0.5,
        "composite": 1.5,
        "gradient": 0.0,
    }


def test_it_learns_validates_shows_and_does_not_ship(cutouts, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "_VALIDATED", 1)
    run = Run(tmp_path, steps=9, threads=1, workers=0, rate=1e-4)
    learner = Trainer(Config(run, recipe(cutouts)), CompositionRecipe(run, recipe(cutouts)))
    learner.recipe.prepare()
    batch = learner.recipe.source.batch(0, 0)
    first = learner.learn(batch)["total"]
    for _ in range(3):
        last = learner.learn(batch)["total"]
    assert last < first
    learner.recipe.network.eval()
    assert learner.recipe.validate(learner.recipe.network).keys() == {"mad", "mse", "band"}
    assert len(learner.recipe.show(learner.recipe.network)) == 7
    torch.save({"architecture": "bgm2020"}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match=r"trains bgm2020, whose weights do not ship.*--to"):
        export(tmp_path, tmp_path)


def test_what_it_learned_becomes_a_model(cutouts, tmp_path, monkeypatch):
    """From the recipe's checkpoint through export and ``models add`` to a keyer that runs it as it was trained."""
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))
    run, settings = Run(tmp_path / "run", steps=9, threads=1, workers=0), recipe(cutouts, motion="wired")
    run.folder.mkdir()
    learner = Trainer(Config(run, settings), CompositionRecipe(run, settings))
    learner.save()
    run_export(run.folder, tmp_path / "out")
    card = library.add(tmp_path / "out" / "bgm2020.safetensors", "mine", "MIT", {"size": "128"})
    assert card.options == {"motion": "wired", "size": "128"}
    keyer = load_keyer("mine", "cpu")
    assert (keyer.network.motion, keyer.size) == ("wired", 128)
    assert keyer.network.comb_seg[0].bias is not None, "folded: the normalisation after it has become its bias"


def test_the_painted_set_is_whole_and_keeps_apart_what_is_held_out(tmp_path, monkeypatch):
    photo = np.random.default_rng(0).uniform(0.1, 0.8, (300, 400, 3)).astype(np.float32)
    monkeypatch.setattr(painted, "load_photos", lambda _: [(photo, False), (photo[::-1], True)])
    painted.write_painted(tmp_path, tmp_path, subjects=1, held_out=1, backgrounds=2, size=64)
    found = find_cutouts(tmp_path)
    assert [subject.colour.name for subject in found.subjects] == ["0_00000.png", "1_00000.png"]
    assert [path.name for path in found.backgrounds] == ["0_00000.png", "0_00001.png", "1_00000.png"]
    colour, alpha = found.subjects[0].read()
    assert 0.02 < (alpha == 255).mean() < 0.98
    edge = (alpha > 0) & (alpha < 40)
    assert colour[edge].max() > 1.05 * colour[edge].mean() * 0 + 10, "straight colour is not mixed with black"
    before = (tmp_path / "fg" / "0_00000.png").stat().st_mtime_ns
    painted.write_painted(tmp_path, tmp_path, subjects=1, held_out=1, backgrounds=2, size=64)
    assert (tmp_path / "fg" / "0_00000.png").stat().st_mtime_ns == before
