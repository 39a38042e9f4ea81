"""The loop: it goes on where it was, stops when asked to, and survives a full disk."""

import errno
import json
import os
import signal

import cv2
import pytest
import torch
from toy_recipe import ToyRecipe, ToySource, toy_trainer

from engine.errors import EngineError
from engine.training import checkpoint, loop, schedule
from engine.training.average import Average
from engine.training.config import Run
from engine.training.interruption import Interruption
from engine.training.journal import Journal, Pace
from engine.training.loop import run
from engine.training.stream import stream


def never():
    return False


class After:
    """Asks to stop once it has been asked a number of times."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        return self.left < 0


def state(trainer):
    return {**trainer.recipe.network.state_dict(), **{f"average.{k}": v for k, v in trainer.average.values.items()}}


def test_it_learns_and_leaves_log_and_pictures(tmp_path):
    assert run(toy_trainer(tmp_path, steps=300), never)
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert line["step"] == 300
    assert line["validation"]["mse"] < 0.5
    assert cv2.imread(str(tmp_path / "samples.png")).shape == (24 + 2 * 192, 2 * 192, 3)
    assert cv2.imread(str(tmp_path / "losses.png")) is not None
    assert not list(tmp_path.glob("*.part*"))


def test_an_interrupted_run_ends_as_the_uninterrupted_bit_for_bit(tmp_path):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = toy_trainer(tmp_path / "whole")
    assert run(whole, never)
    assert not run(toy_trainer(tmp_path / "parts"), After(8))
    second = toy_trainer(tmp_path / "parts")
    torch.nn.init.zeros_(second.recipe.network[0].weight)
    torch.manual_seed(99)
    assert second.resume()
    assert second.step == 8
    assert run(second, never)
    assert state(second).keys() == state(whole).keys()
    for name, value in state(whole).items():
        assert torch.equal(state(second)[name], value), name


def test_the_samples_go_on_and_do_not_begin_again(tmp_path):
    numbers = stream(ToySource(), 0, lambda number: number / 10, workers=0)
    all_of_them = [next(numbers) for _ in range(6)]
    later = next(stream(ToySource(), 4, lambda number: number / 10, workers=0))
    assert torch.equal(later["x"], all_of_them[4]["x"])
    assert float(later["spent"]) == pytest.approx(0.4)
    assert not torch.equal(all_of_them[0]["x"], all_of_them[4]["x"])


def test_processes_make_the_same_samples_and_pass_on_what_is_wrong():
    made = stream(ToySource(refused=2), 0, lambda _number: 0.0, workers=1)
    for number in range(2):
        assert torch.equal(next(made)["x"], ToySource().batch(number, 0.0)["x"])
    with pytest.raises(EngineError, match="Batch 2 is bad") as refused:
        next(made)
    assert (refused.value.reason, refused.value.next_step) == ("IMAGE_UNREADABLE", "Mend it.")


def test_a_process_that_dies_is_an_error_not_a_wait():
    with pytest.raises(EngineError, match="A process that makes samples has ended"):
        next(stream(ToySource(deadly=0), 0, lambda _number: 0.0, workers=1))


def test_a_bad_sample_ends_the_run_but_saves_it(tmp_path):
    with pytest.raises(EngineError, match="Batch 5"):
        run(toy_trainer(tmp_path, recipe=ToyRecipe(refused=5)), never)
    resumed = toy_trainer(tmp_path)
    assert resumed.resume()
    assert resumed.step == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_and_a_second_one_the_process(number):
    former = signal.getsignal(number)
    with Interruption() as stopped:
        assert not stopped()
        os.kill(os.getpid(), number)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is former


def full(*_arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_does_not_stop_the_run(tmp_path, monkeypatch, caplog):
    calls = []

    def sometimes(folder, values):
        calls.append(values["step"])
        if len(calls) < 3:
            full()
        real(folder, values)

    real = checkpoint.save_checkpoint
    monkeypatch.setattr("engine.training.trainer.save_checkpoint", sometimes)
    monkeypatch.setattr(loop.Timer, "due", lambda _timer: True)
    monkeypatch.setattr(loop, "draw_samples", full)
    assert run(toy_trainer(tmp_path, steps=4), never)
    assert calls == [1, 2, 3, 4, 4]
    assert "The checkpoint of step 1 could not be written" in caplog.text
    assert "Training goes on" in caplog.text


def test_a_last_checkpoint_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.training.trainer.save_checkpoint", full)
    with pytest.raises(EngineError, match=r"step 20 could not be written .*No space left") as refused:
        run(toy_trainer(tmp_path), never)
    assert refused.value.reason == "LIMIT_EXCEEDED"


def test_a_loss_that_is_no_number_changes_no_weight(tmp_path):
    trainer = toy_trainer(tmp_path)
    before = {name: value.clone() for name, value in trainer.recipe.network.named_parameters()}
    with pytest.raises(EngineError, match="not finite"):
        trainer.learn({"x": torch.ones(8, 1), "y": torch.full((8, 1), float("nan"))})
    assert all(torch.equal(value, before[name]) for name, value in trainer.recipe.network.named_parameters())


def test_a_checkpoint_of_another_network_or_recipe_is_refused(tmp_path):
    toy_trainer(tmp_path).save()
    with pytest.raises(EngineError, match="of another network"):
        toy_trainer(tmp_path, recipe=ToyRecipe(width=5)).resume()
    torch.save({"recipe": "supervised"}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match="of the recipe 'supervised', not 'composition'"):
        toy_trainer(tmp_path).resume()


def test_the_configuration_wins_over_the_checkpoint(tmp_path):
    toy_trainer(tmp_path).save()
    other = toy_trainer(tmp_path, decay="constant", warm_up=0)
    other.resume()
    other.learn(ToySource().batch(0, 0))
    assert other.recipe.optimisers["network"].param_groups[0]["lr"] == pytest.approx(1e-2)


def test_the_rate_warms_up_and_comes_down(tmp_path):
    settings = Run(tmp_path, hours=2, rate=1e-3)
    assert schedule.rate(settings, 0, 0) == pytest.approx(1e-5)
    assert schedule.rate(settings, 0, 200) == pytest.approx(1e-3)
    assert schedule.rate(settings, 1, 10_000) == pytest.approx(1e-5)
    assert schedule.progress(settings, 12345, 1.0) == 0.5
    assert schedule.progress(Run(tmp_path, steps=100), 25, 9.0) == 0.25


def test_the_average_forgets_its_beginning_and_is_a_mean():
    network = torch.nn.BatchNorm1d(1)
    average = Average(network, keep=0.5)
    for step, value in ((1, 1.0), (2, 3.0)):
        torch.nn.init.constant_(network.weight, value)
        average.follow(network, step)
    first = 1.0
    expected = first * (2 / 22) + 3.0 * (20 / 22)
    assert float(average.values["weight"]) == pytest.approx(expected)


def test_the_log_keeps_the_work_that_counts(tmp_path):
    journal = Journal(tmp_path)
    for step in (10, 20, 30, 20):
        journal.take({"total": float(step)})
        journal.record(step, 0.1, {"mad": step})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 3')
    assert [line["step"] for line in journal.lines()] == [10, 20]


def test_the_line_of_progress_says_who_waits(tmp_path, monkeypatch):
    now = iter([0.0, 0.0, 3.0, 3.0, 4.0, 100.0, 100.0])
    monkeypatch.setattr("engine.training.journal.time.monotonic", lambda: next(now))
    pace = Pace(0.25)
    with pace.waiting():
        pass
    with pace.learning():
        pass
    line = pace.line(10, 0.5, {"total": 0.125})
    assert line == "step 10, 50.0%: 0.25 steps/s, 75% of it waiting for samples, 0:03:20 to go; total 0.1250"
