"""What the benchmark says: operations counted right, turns taken fairly, a whole table. No claim is tested by time."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from engine.benchmark import bench, stopwatch, timing
from engine.benchmark.contender import contender
from engine.benchmark.macs import count_macs
from engine.benchmark.memory import peak_memory
from engine.benchmark.scene import scene
from engine.benchmark.stopwatch import Seconds
from engine.benchmark.timing import Lap, by_turns, summary
from engine.cli import app
from engine.errors import EngineError
from engine.network.bgmv2.keyer import recommended
from engine.network.table import MODELS

SMALL = (72, 128)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def small():
    return scene(SMALL)


@pytest.mark.parametrize(
    ("layer", "size", "macs"),
    [
        (nn.Conv2d(3, 8, 5, padding=2), (1, 3, 10, 12), 3 * 8 * 25 * 120),
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), (2, 3, 10, 12), 2 * 3 * 8 * 9 * 30),
        (nn.Conv2d(8, 8, 3, groups=8), (1, 8, 10, 12), 8 * 9 * 80),
        (nn.Conv2d(4, 6, 3, dilation=2, padding=2, bias=False), (1, 4, 9, 9), 4 * 6 * 9 * 81),
        (nn.Linear(7, 5), (3, 7), 7 * 5 * 3),
        (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3).eval(), nn.Upsample(scale_factor=2)), (1, 3, 4, 4), 0),
    ],
)
def test_multiplications_of_known_layers(layer, size, macs):
    """Second formulation: output samples times inputs to each."""
    assert count_macs(layer, torch.rand(size)) == macs
    assert count_macs(layer.to("meta"), torch.rand(size, device="meta")) == macs


def test_multiplications_are_counted_where_inference_is():
    conv = nn.Conv2d(3, 8, 3, padding=1)

    @torch.inference_mode()
    def infer():
        conv(torch.rand(1, 3, 8, 8))

    assert count_macs(infer) == 3 * 8 * 9 * 64


def test_contenders_take_turns():
    calls = []
    results = by_turns({name: lambda name=name: calls.append(name) or len(calls) for name in "abc"}, 4)
    assert "".join(calls) == "abc" + "bca" + "cab" + "abc"
    assert results == {"a": [1, 6, 8, 10], "b": [2, 4, 9, 11], "c": [3, 5, 7, 12]}


def flat_lap(wall):
    return Lap(Seconds(wall, 2 * wall), Seconds(wall / 2, wall), Seconds(wall + 1, 3 * wall), None)


def test_a_summary_is_medians_and_spread():
    assert vars(summary([flat_lap(wall) for wall in (0.5, 0.1, 0.9)])) == {
        "wall": 0.5,
        "wall_least": 0.1,
        "wall_most": 0.9,
        "cpu": 1.0,
        "again_wall": 0.25,
        "again_cpu": 0.5,
        "stage_wall": 1.5,
        "stage_cpu": 1.5,
    }


class Ticking(nn.Module):
    """A network of one tick; or of none, where its keyer does the work."""

    def forward(self, clock):
        clock.tick += 1.0


class TickingKeyer:
    """Takes five ticks around its network the first time, two when it knows the plate; runs in two tiles."""

    stride, margin, bytes_per_pixel, takes_hint = 1, 8, 100, False
    refined_share = 0.25

    def __init__(self, network, clock, whole):
        self.network, self.clock, self.whole, self.known = network, clock, whole, False

    def at(self, _height, _width, _noise=None):
        return self

    def __call__(self, frame, *_):
        self.clock.tick += 2.0 if self.known else 5.0
        if self.whole:
            self.network(self.clock)
        return frame


@pytest.mark.parametrize(("whole", "first", "again"), [(True, 2.0, 2.0), (False, 10.0, 4.0)])
def test_the_network_is_timed_apart_from_its_stage(monkeypatch, whole, first, again):
    """Conversions are told apart where the network is called whole; else the keyer is the network."""
    clock = SimpleNamespace(tick=0.0)
    clock.perf_counter = clock.process_time = lambda: clock.tick
    monkeypatch.setattr(stopwatch, "time", clock)
    keyer = TickingKeyer(Ticking(), clock, whole)

    def stage(watch, *_):
        clock.tick += 100
        for _tile in range(2):
            watch.at(8, 8)(torch.zeros(1), None, None, None)
        keyer.known = True

    monkeypatch.setattr(timing, "run_stage", stage)
    entrant = SimpleNamespace(network=keyer.network, keyer=lambda: keyer)
    found = timing.lap(entrant, None, "cpu")
    whole_stage = 100 + 10 + 2 * whole
    assert found == Lap(Seconds(first, first), Seconds(again, again), Seconds(whole_stage, whole_stage), 0.25)
    assert not keyer.network._forward_hooks


def test_each_lap_begins_with_an_unknown_plate():
    entrant = contender("platenet", "cpu")
    assert entrant.keyer() is not entrant.keyer()


@pytest.mark.parametrize("size", [SMALL, (100, 90)])
def test_the_scene_has_a_subject_at_any_size(size, small):
    made = small if size == SMALL else scene(size)
    assert made.frame.shape == made.plate.shape == (*size, 3)
    difference = np.abs(made.frame - made.plate).max(2)
    assert 0.02 < (difference > 0.1).mean() < 0.6
    assert np.median(difference) < 0.05, "a locked-off plate differs by grain where nobody stands"
    assert np.isfinite(made.frame).all()


def test_the_scene_is_the_same_every_time(small):
    np.testing.assert_array_equal(small.frame, scene(SMALL).frame)


def test_larger_scenes_keep_their_grain_fine(monkeypatch):
    monkeypatch.setattr("engine.benchmark.scene._WIDEST", 128)
    large = scene((144, 256))
    steps = np.diff((large.frame - large.plate)[:40, :80, 0], axis=1)
    alike = np.corrcoef(steps[:, 1:].ravel(), steps[:, :-1].ravel())[0, 1]
    assert alike < -0.3, "-0.5 for grain of each pixel's own; enlarged grain has slopes, and is above 0"


def test_an_untrained_refiner_spends_its_whole_budget(small):
    entrant = contender("bgmv2-mobilenetv2", "cpu")
    assert not entrant.trained
    patches = timing.lap(entrant, small, "cpu").refined_share * (72 // 4) * (128 // 4)
    assert patches == pytest.approx(80_000 * (72 * 128) / (1920 * 1080) // 16, abs=1)


def test_a_shipped_model_has_its_weights():
    entrant = contender("platenet", "cpu")
    assert entrant.trained
    assert entrant.parameters == MODELS["platenet"].parameters


def test_memory_is_measured_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "scene.npz"
    flat = np.full((512, 512, 3), 0.2, np.float32)
    np.savez(path, frame=flat, plate=flat)
    peak = peak_memory("platenet", path, 1, "cpu")
    assert peak.frame > 2 * flat.nbytes
    assert peak.whole > peak.frame + 100e6, "python and torch alone take more"


COLUMNS = ["model", "size", "wall s (least-most)", "CPU s", "same plate s", "stage wall s", "GMac", "parameters"]
COLUMNS += ["peak MB (frame)", "refined", "weights"]


def test_the_command_gives_a_table_and_json(small, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "scene", lambda size: small if size == SMALL else None)
    file = tmp_path / "figures.json"
    arguments = ["--models", "platenet,bgmv2-mobilenetv2", "--sizes", "128x72", "--rounds", "2", "--threads", "1"]
    done = CliRunner().invoke(app, ["bench", *arguments, "--json", str(file)])
    assert done.exit_code == 0, done.output
    header, rule, *rows = done.output.strip().splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == COLUMNS
    assert set(rule) == {"|", "-", " "}
    assert [row.split("|")[1].strip() for row in rows] == ["platenet", "bgmv2-mobilenetv2"]
    told = json.loads(file.read_text())
    assert (told["threads"], told["rounds"]) == (1, 2)
    for line in told["lines"]:
        seconds = line["seconds"]
        assert 0 < seconds["wall_least"] <= seconds["wall"] <= seconds["wall_most"]
        assert seconds["stage_wall"] >= seconds["wall_least"]
        assert line["macs"] > 1e6
        assert line["memory"]["whole"] > line["memory"]["frame"] >= 0
    assert re.search(r"\| random +\|", rows[1])


def test_a_dense_network_is_said_to_refine_all():
    line = bench.Line("x", True, 128, 72, 1, 10**9, summary([flat_lap(1.0)]), bench.Peak(2, 1), None)
    assert "| all " in bench.as_table([line])
    assert "| 12.5% " in bench.as_table([bench.Line(**{**vars(line), "refined_share": 0.125})])


@pytest.mark.parametrize("models", ["deeplab", "platenet,deeplab", ",", ""])
def test_unknown_models_list_the_known(models):
    with pytest.raises(EngineError, match="bgm2020") as caught:
        next(bench.bench(bench.Plan([name for name in models.split(",") if name], [SMALL])))
    assert caught.value.reason == "MODEL_UNKNOWN"
    assert CliRunner().invoke(app, ["bench", "--models", models, "--sizes", "128x72"]).exit_code == 2


@pytest.mark.parametrize("sizes", ["1920", "1920x", "x", "", "-5x10", "1920x1080,", "8x8", "99999x100", "1920×1080"])
def test_sizes_that_cannot_be(sizes):
    with pytest.raises(EngineError, match="1920x1080"):
        bench.parse_sizes(sizes)
    assert CliRunner().invoke(app, ["bench", "--sizes", sizes]).exit_code == 2


def test_sizes():
    assert bench.parse_sizes("1920x1080, 640x64") == [(1080, 1920), (64, 640)]


def test_a_device_that_is_not_there():
    with pytest.raises(EngineError, match="cuda:7"):
        next(bench.bench(bench.Plan(["platenet"], [SMALL], device="cuda:7")))


def test_what_is_counted_is_what_the_stage_runs(small):
    entrant = contender("bgmv2-mobilenetv2", "cpu")
    counted = count_macs(lambda: timing.run_stage(entrant.keyer(), small, "cpu"))
    scale, budget = recommended(*SMALL)
    pair = [torch.rand(1, 3, *SMALL) for _ in range(2)]
    assert counted == count_macs(lambda: entrant.network(*pair, scale, replace(budget, forced=True)))
