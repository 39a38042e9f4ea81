"""The adversarial stage: what the discriminator sees, what the student learns, and that the teacher does not."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from unlabelled_shots import write_unlabelled

from engine.errors import EngineError
from engine.network.table import FACTORIES
from engine.training.adaptation.trainers import require_method
from engine.training.adversarial import AdversarialRecipe, refinement, shots
from engine.training.adversarial.composites import (
    READERS,
    Matted,
    discriminator_loss,
    over_other,
    premultiplied,
    student_terms,
)
from engine.training.adversarial.discriminator import PatchDiscriminator
from engine.training.config import Adversarial, Config, Run
from engine.training.published import gradient_l1, masked_l1, verdict_loss
from engine.training.trainer import Trainer


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shots")
    for seed, name in ((0, "a"), (5, "b")):
        write_unlabelled(folder / name, seed)
    return folder


def trainer(folder, footage, **settings):
    run = Run(folder, steps=8, threads=1, workers=0, rate=1e-4, decay="constant", warm_up=0)
    recipe = Adversarial(footage, size=64, batch=2, discriminate_every=2, **settings)
    torch.manual_seed(1)
    return Trainer(Config(run, recipe), AdversarialRecipe(run, recipe))


@pytest.fixture
def scene():
    """A frame that obeys the equation, in front of its own plate, and another plate."""
    draw = torch.Generator().manual_seed(0)
    plate, other, straight = (torch.rand(2, 3, 64, 64, generator=draw) * 0.5 + 0.1 for _ in range(3))
    alpha = torch.linspace(-0.2, 1.2, 64).clamp(0, 1).expand(2, 1, 64, 64).contiguous()
    shadow = torch.full_like(plate, 0.7)
    frame = alpha * straight + (1 - alpha) * shadow * plate
    valid, hint = torch.ones_like(alpha), torch.zeros_like(plate[:, :2])
    batch = {"frame": frame, "plate": plate, "valid": valid, "hint": hint, "other": other}
    return batch, Matted(alpha, straight, shadow)


def test_the_discriminator_is_the_published_one():
    critic = PatchDiscriminator()
    assert sum(value.numel() for value in critic.parameters()) == 2_764_737
    assert critic(torch.zeros(1, 3, 64, 64)).shape == (1, 1, 10 + 1, 10 + 1)


def test_verdicts_are_squared_distances():
    assert float(verdict_loss(torch.tensor([1.0, 0.0]), real=True)) == 0.5
    assert float(verdict_loss(torch.tensor([3.0]), real=False)) == 9.0


def test_masked_means_go_picture_by_picture():
    estimate, truth = torch.zeros(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    mask = torch.zeros(3, 1, 2, 2)
    estimate[0, 0, 0, 0], mask[0, 0, 0, 0] = 4.0, 1
    estimate[1], mask[1] = 1.0, 1
    estimate[2] = 100.0
    assert float(masked_l1(estimate, truth, mask)) == pytest.approx((4 + 1) / 2)


def test_the_gradient_term_is_sobels():
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)
    assert float(gradient_l1(ramp, torch.zeros_like(ramp))) == pytest.approx(8 / 2)


def test_the_true_matte_gives_the_true_composite(scene):
    batch, truth = scene
    expected = truth.alpha * truth.foreground + (1 - truth.alpha) * truth.shadow * batch["other"]
    torch.testing.assert_close(over_other(truth, batch), expected, rtol=1e-4, atol=1e-6)


def test_a_thin_matte_leaves_the_old_set_and_a_fat_one_takes_light_away(scene):
    batch, truth = scene
    middle = (..., slice(28, 36))
    true = premultiplied(truth, batch)[middle]
    fat = premultiplied(truth._replace(alpha=(truth.alpha + 0.2).clamp(max=1)), batch)[middle]
    thin = premultiplied(truth._replace(alpha=truth.alpha - 0.2), batch)[middle]
    assert bool((fat > true).all())
    assert bool((thin < true).all())


def test_where_the_plate_saw_nothing_nothing_is_subtracted(scene):
    batch, truth = scene
    batch["valid"].zero_()
    batch["plate"].zero_()
    torch.testing.assert_close(premultiplied(truth, batch), truth.alpha * truth.foreground)


def test_agreeing_with_teacher_and_frame_costs_only_the_deceit(scene):
    batch, truth = scene
    terms = student_terms(truth, truth, batch, PatchDiscriminator(), (1.0, 1.0))
    assert float(terms["deceit"].detach()) > 0.01
    assert all(float(value.detach()) < 1e-5 for name, value in terms.items() if name != "deceit")


def test_weights_scale_their_terms(scene):
    batch, truth = scene
    critic, other = PatchDiscriminator(), truth._replace(alpha=truth.alpha * 0.9)
    once, twice = (student_terms(other, truth, batch, critic, weights) for weights in ((1.0, 1.0), (3.0, 0.5)))
    for name, value in once.items():
        weighted = value.detach() * (3.0 if name == "deceit" else 0.5)
        torch.testing.assert_close(twice[name].detach(), weighted, rtol=1e-4, atol=1e-7)


def test_the_discriminator_learns_a_fixed_batch(scene):
    batch, truth = scene
    torch.manual_seed(0)
    critic = PatchDiscriminator()
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-4)
    made = over_other(truth._replace(alpha=(truth.alpha * 3).clamp(max=1)), batch)
    losses = []
    for _ in range(12):
        loss = discriminator_loss(critic, batch["frame"], made)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_the_student_learns_and_the_teacher_does_not(tmp_path, footage):
    learner = trainer(tmp_path, footage)
    learner.recipe.prepare()
    recipe = learner.recipe
    before = {name: value.clone() for name, value in recipe.others["teacher"].state_dict().items()}
    critic = [value.clone() for value in recipe.others["discriminator"].parameters()]
    assert all(torch.equal(value, before[name]) for name, value in recipe.network.state_dict().items())
    for number in range(3):
        losses = learner.learn(recipe.source.batch(number, 0))
        assert ("discriminator" in losses) == (number % 2 == 0)
    after = recipe.others["teacher"].state_dict()
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    moved = [name for name, value in recipe.network.named_parameters() if not torch.equal(value, before[name])]
    assert len(moved) > 0.8 * len(list(recipe.network.parameters()))
    kept = [name for name in before if "running" in name]
    assert all(torch.equal(recipe.network.state_dict()[name], before[name]) for name in kept)
    assert not all(torch.equal(old, new) for old, new in zip(critic, recipe.others["discriminator"].parameters()))  # noqa: B905


def test_it_goes_on_bit_for_bit(tmp_path, footage):
    whole = trainer(tmp_path / "whole", footage)
    batches = [whole.recipe.source.batch(number, 0) for number in range(4)]
    expected = [whole.learn(batch) for batch in batches]
    first = trainer(tmp_path / "parts", footage)
    first.config.run.folder.mkdir(exist_ok=True)
    for batch in batches[:2]:
        first.learn(batch)
    first.save()
    second = trainer(tmp_path / "parts", footage)
    torch.nn.init.zeros_(next(second.recipe.others["teacher"].parameters()))
    second.resume()
    assert [second.learn(batch) for batch in batches[2:]] == expected[2:]
    for name, value in whole.recipe.network.state_dict().items():
        assert torch.equal(second.recipe.network.state_dict()[name], value), name


def test_the_teacher_counts_for_half_after_a_while(tmp_path, footage):
    learner = trainer(tmp_path, footage, halve_steps=3)
    batch = learner.recipe.source.batch(0, 0)
    with torch.no_grad():
        learner.recipe.network.base.heads.bias.add_(0.5)
    state = {name: value.clone() for name, value in learner.recipe.network.state_dict().items()}
    early = learner.recipe.learn(batch, 1)
    learner.recipe.network.load_state_dict(state)
    late = learner.recipe.learn(batch, 7)
    assert float(late["alpha"].detach()) == pytest.approx(float(early["alpha"].detach()) / 4, rel=1e-4)


def test_a_student_may_begin_from_nothing(tmp_path, footage):
    recipe = trainer(tmp_path, footage, start="scratch").recipe
    assert recipe.network.training
    teacher = recipe.others["teacher"].state_dict()
    assert not torch.equal(recipe.network.state_dict()["refiner.look.weight"], teacher["refiner.look.weight"])


def test_labelled_shots_are_measured_and_pictured(tmp_path, footage):
    write_unlabelled(tmp_path / "labelled" / "c", 9, truth=True)
    learner = trainer(tmp_path / "run", footage, labelled=tmp_path / "labelled")
    learner.recipe.prepare()
    figures = learner.recipe.validate(learner.recipe.network)
    assert figures["moved"] == 0
    assert figures["mad"] == figures["teacher_mad"] > 0
    assert figures["band"] > figures["mad"]
    columns = learner.recipe.show(learner.recipe.network)
    assert {len(column.pixels) for column in columns} == {2}
    assert float(columns[4].pixels.max()) == 0


def test_batches_are_pure_functions_of_their_number(tmp_path, footage):
    source, again = (shots.ShotSource(footage, tmp_path, 1, 64, 2) for _ in range(2))
    batch = source.batch(3, 0)
    assert {name: tuple(value.shape) for name, value in batch.items()} == {
        "frame": (2, 3, 64, 64),
        "plate": (2, 3, 64, 64),
        "valid": (2, 1, 64, 64),
        "hint": (2, 2, 64, 64),
        "other": (2, 3, 64, 64),
        "cell": (),
    }
    assert all(torch.equal(value, again.batch(3, 1)[name]) for name, value in batch.items())
    assert not torch.equal(batch["frame"], source.batch(4, 0)["frame"])


def test_plates_lie_on_their_frames_and_are_anchored(tmp_path, footage):
    (shot, _) = shots.prepare_shots(footage, tmp_path)
    pixels = np.load(shot.frames[0]).astype(np.float32)
    corner = pixels[:48, :48]
    assert np.abs(corner[..., :3] / corner[..., 3:6] - 1).mean() < 0.02
    luminance = np.load(shot.plate).astype(np.float32) @ (0.2722287, 0.6740818, 0.0536895)
    assert np.exp(np.log(luminance).mean()) == pytest.approx(0.18, rel=0.02)


def test_what_is_prepared_is_not_prepared_again(tmp_path, footage, monkeypatch):
    first = shots.prepare_shots(footage, tmp_path)
    monkeypatch.setattr(shots, "_register", None)
    assert shots.prepare_shots(footage, tmp_path) == first


def test_an_interrupted_preparation_is_done_again(tmp_path, footage, monkeypatch):
    def stop(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shots.photometric, "fit", stop)
        with pytest.raises(KeyboardInterrupt):
            shots.prepare_shots(footage, tmp_path)
    assert all(path.exists() for shot in shots.prepare_shots(footage, tmp_path) for path in shot.frames)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda shot: (shot / "plate.exr").unlink(), "plate.exr is missing"),
        (lambda shot: [path.unlink() for path in shot.glob("frame.*")], "holds no frame"),
        (lambda shot: (shot / "frame.1001.exr").write_bytes(b"EXR"), "frame.1001.exr"),
    ],
)
def test_a_shot_that_lacks_something_is_named(tmp_path, change, sentence):
    change(write_unlabelled(tmp_path / "shots" / "a"))
    with pytest.raises(EngineError, match=sentence):
        shots.prepare_shots(tmp_path / "shots", tmp_path / "cache")


def test_a_shot_smaller_than_a_crop_says_which_crop_fits(tmp_path, footage):
    with pytest.raises(EngineError, match=r"Set adversarial.size to a multiple of 64, 128 or less"):
        shots.ShotSource(footage, tmp_path, 1, 192, 2).batch(0, 0)


def test_a_model_that_this_stage_cannot_train_is_refused(tmp_path, footage):
    torch.save({"architecture": "bgmv2-resnet50"}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match=r"cannot train 'bgmv2-resnet50'.* platenet, bgm2020"):
        trainer(tmp_path / "run", footage, teacher=tmp_path)


WIRED = r"(?s)The network of .* reads neighbour frames, which this stage does not have\..*motion = 'published'"


def test_a_teacher_that_reads_neighbour_frames_is_refused_as_a_run_and_as_a_model(tmp_path, footage, monkeypatch):
    torch.save({"architecture": "bgm2020", "settings": {"motion": "wired"}}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match=WIRED):
        trainer(tmp_path / "run", footage, teacher=tmp_path)
    wired = SimpleNamespace(architecture="bgm2020", options={"motion": "wired"}, name="bgm2020_wired")
    monkeypatch.setattr(refinement, "card", lambda name: wired)
    with pytest.raises(EngineError, match=WIRED):
        trainer(tmp_path / "run", footage, network="bgm2020_wired")
    with pytest.raises(EngineError, match=WIRED):
        require_method("adversarial", wired)


def test_a_published_2020_network_is_taken_as_a_teacher(tmp_path, footage):
    network = FACTORIES["bgm2020"]()
    state = {"architecture": "bgm2020", "settings": {"motion": "published"}, "average": network.state_dict()}
    torch.save(state, tmp_path / "checkpoint.pt")
    recipe = trainer(tmp_path / "run", footage, teacher=tmp_path).recipe
    taught = recipe.others["teacher"].state_dict()
    assert torch.equal(taught["model_al_out.9.weight"], network.state_dict()["model_al_out.9.weight"])


def test_the_2020_network_can_be_asked_and_taught(scene):
    batch, truth = scene
    network = FACTORIES["bgm2020"]()
    said = READERS["bgm2020"](network, batch)
    assert said.alpha.shape == (2, 1, 64, 64)
    assert bool(((said.alpha >= 0) & (said.alpha <= 1)).all())
    sum(student_terms(said, truth, batch, PatchDiscriminator(), (1.0, 1.0)).values()).backward()
    assert float(network.model_al_out[-2].weight.grad.abs().sum()) > 0
