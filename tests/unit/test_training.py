"""The trainer: it learns, resumes where it was, and refuses what is not its own."""

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.network import table
from engine.network.platenet import Prediction
from engine.synthesis import foregrounds, textures
from engine.training import assets, dataset, trainer
from engine.training.export import export
from engine.training.losses import Truth, laplacian, losses


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    photos = [np.abs(textures.noise(rng, 300, 20, 3))]
    subjects = np.stack([foregrounds.foreground(seed, photos) for seed in (0, 1)])
    return next(dataset.batches(subjects, photos, 64, 2, 3))


def config(folder):
    return trainer.Config(folder=folder, assets=folder, hours=1.0, rate=2e-3, threads=torch.get_num_threads())


def test_batches_are_anchored(batch):
    assert batch["frame"].shape == (2, 3, 64, 64)
    luminance = (batch["plate"].permute(0, 2, 3, 1) @ torch.tensor((0.2722287, 0.6740818, 0.0536895)))[
        batch["valid"][:, 0] > 0
    ]
    assert float(luminance.clamp(min=1e-6).log().mean().exp()) == pytest.approx(0.18, rel=0.2)


def test_it_learns_one_batch(batch, tmp_path):
    learner = trainer.Trainer(config(tmp_path))
    first = learner.learn(batch)["total"]
    for _ in range(25):
        last = learner.learn(batch)["total"]
    assert last < 0.7 * first


def test_it_resumes_where_it_was(batch, tmp_path):
    learner = trainer.Trainer(config(tmp_path))
    learner.learn(batch)
    learner.hours = 0.5
    learner.save()
    other = trainer.Trainer(config(tmp_path))
    assert other.resume()
    assert (other.step, other.hours) == (1, 0.5)
    assert learner.learn(batch) == pytest.approx(other.learn(batch))


def test_without_a_checkpoint_it_starts(tmp_path):
    assert not trainer.Trainer(config(tmp_path)).resume()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    torch.save({"network": {}, "optimiser": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match="another network"):
        trainer.Trainer(config(tmp_path)).resume()


def test_a_truncated_checkpoint_is_refused(batch, tmp_path):
    trainer.Trainer(config(tmp_path)).save()
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="broken"):
        trainer.Trainer(config(tmp_path)).resume()


def test_export_ships_the_average_with_its_card(batch, tmp_path, monkeypatch):
    learner = trainer.Trainer(config(tmp_path))
    learner.learn(batch)
    learner.save()
    card = export(tmp_path, tmp_path / "weights")
    monkeypatch.setattr(table, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(table, "MODELS", {"platenet": card})
    loaded = table.load_network("platenet", "cpu").state_dict()
    for name, value in learner.averaged().state_dict().items():
        torch.testing.assert_close(loaded[name], value, rtol=1e-3, atol=1e-4)
    assert {source["licence"] for source in card.sources} <= {"Apache-2.0", "CC0-1.0", "CC-BY-2.0", "CC-BY-4.0"}


def test_export_needs_a_run(tmp_path):
    with pytest.raises(EngineError, match="no checkpoint"):
        export(tmp_path, tmp_path)


def test_an_interrupted_save_leaves_the_former(batch, tmp_path, monkeypatch):
    learner = trainer.Trainer(config(tmp_path))
    learner.save()

    def full(_state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    learner.learn(batch)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OSError, match="space"):
            learner.save()
    assert trainer.Trainer(config(tmp_path)).resume()


def test_a_broken_sample_stops_training(batch, tmp_path):
    learner = trainer.Trainer(config(tmp_path))
    broken = {**batch, "alpha": batch["alpha"] * float("nan")}
    with pytest.raises(EngineError, match="not finite"):
        learner.learn(broken)


def test_the_schedule_warms_up_and_comes_down():
    assert trainer.schedule(0, 0) == pytest.approx(0.01)
    assert trainer.schedule(0, 200) == pytest.approx(1)
    assert trainer.schedule(1, 10_000) == pytest.approx(0.01)


def test_a_perfect_answer_costs_nothing_but_the_colour_code():
    alpha = torch.zeros(1, 1, 32, 32)
    alpha[..., :16] = 1
    shadow, colour = torch.full((1, 3, 32, 32), 0.5), torch.full((1, 3, 32, 32), 0.18)
    logit = torch.where(alpha > 0, 20.0, -20.0)
    perfect = Prediction(logit, shadow, torch.zeros_like(alpha), torch.full_like(colour, 0.4135884))
    terms = losses(perfect, Truth(alpha, shadow, colour * alpha))
    assert all(float(value) < 1e-5 for value in terms.values())


def test_laplacian_of_nothing_is_nothing():
    assert float(laplacian(torch.zeros(1, 1, 64, 64))) == 0


def test_the_manifest_is_free_and_names_its_sources():
    entries = assets.load_manifest()
    assert {entry.licence for entry in entries} <= {"CC0-1.0", "CC-BY-2.0", "CC-BY-4.0"}
    assert all(entry.author and entry.package and len(entry.sha256) == 64 for entry in entries)
    assert any(entry.held_out for entry in entries)


def test_missing_and_changed_photographs_are_named(tmp_path):
    entry = assets.load_manifest()[0]
    with pytest.raises(EngineError, match=entry.file):
        entry.read(tmp_path)
    (tmp_path / entry.file).write_bytes(b"other")
    with pytest.raises(EngineError, match="not the one"):
        entry.read(tmp_path)
