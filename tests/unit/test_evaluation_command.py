"""`platekey-engine evaluate`, from folders of shots to the report, and what stops it."""

import json
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
import truth_shots
from typer.testing import CliRunner

from engine.cli import app
from engine.evaluation import commands, libraries, report
from engine.evaluation.evaluate import Row, group_means
from engine.evaluation.keyers import ModelKeyer, open_session
from engine.evaluation.robustness import AXES, Point
from engine.evaluation.shot import as_source
from engine.evaluation.shot_folder import find_shots, read_shot, write_shot
from engine.pipeline.matte_frame import matte_frame
from engine.settings import FrameJob, Knobs, MatteJob

REPORT = {"evaluation.md", "evaluation.json", "figures.png", "mattes.png"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three shots of two groups."""
    root = tmp_path_factory.mktemp("shots")
    for name, group, clean in (("a", "easy", True), ("b", "easy", False), ("c", "hard", False)):
        write_shot(root / name, truth_shots.shot(name, group, clean=clean), {})
    return root


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """The report of the network and an opponent, and its folder."""
    out = tmp_path_factory.mktemp("out")
    said = run(folder, "--opponents", "difference", "--out", out, "--threads", 1)
    assert said.exit_code == 0, said.output
    return json.loads((out / "evaluation.json").read_text()), out


def test_the_report_is_whole(made):
    _, out = made
    assert {path.name for path in out.iterdir()} == REPORT
    assert cv2.imread(str(out / "figures.png")).std() > 10
    height, width = cv2.imread(str(out / "mattes.png")).shape[:2]
    assert width == 4 * 240
    assert height == 26 + 3 * 180


def test_every_shot_and_every_group_has_a_row_a_method(made):
    document, _ = made
    assert [(row["shot"], row["method"]) for row in document["shots"]] == [
        (shot, method) for shot in "abc" for method in ("platenet", "difference")
    ]
    assert [(row["group"], row["method"]) for row in document["groups"]] == [
        (group, method) for group in ("easy", "hard", "all") for method in ("platenet", "difference")
    ]


def test_a_group_is_the_mean_of_its_shots(made):
    document, _ = made
    shots = [row["figures"]["mad"] for row in document["shots"] if row["method"] == "difference"]
    means = {row["group"]: row["figures"]["mad"] for row in document["groups"] if row["method"] == "difference"}
    assert means == pytest.approx({"easy": np.mean(shots[:2]), "hard": shots[2], "all": np.mean(shots)})


def test_the_page_says_what_the_figures_say(made):
    document, out = made
    page = (out / "evaluation.md").read_text()
    assert "3 shots, 6 frames" in page
    for row in document["groups"]:
        assert f"| {row['group']} | {row['method']} |" in page
        assert f"{row['figures']['mad']:.2f}" in page
    assert "Refused" not in page
    assert "Robustness" not in page


def test_the_whole_pipeline_is_what_is_measured(folder):
    shot = read_shot(find_shots(folder)[0])
    session = open_session("cpu")
    keyed = ModelKeyer("platenet", session).key(shot, "auto")
    job = MatteJob(Knobs(), ("uncertainty",), "platekey://studio", shot.space, "cpu")
    frame, plate = (as_source(pixels, "one", shot.space) for pixels in (shot.frames[1], shot.plate))
    _, measured = matte_frame(job, FrameJob(2, frame, plate), session, lambda _: None, lambda: False)
    assert keyed[1].alpha.mean() == pytest.approx(measured.foreground_share, abs=1e-6)
    assert keyed[1].shadow.max() <= 1
    assert keyed[1].uncertainty.any()


def test_a_refused_frame_counts_as_an_empty_matte(folder):
    shot = read_shot(find_shots(folder)[0])
    noise = np.random.default_rng(2).random(shot.plate.shape, np.float32)
    strange = replace(shot, plate=noise)
    for one in ModelKeyer("platenet", open_session("cpu")).key(strange, "auto"):
        assert one.refused
        assert not one.alpha.any()


def test_curves_come_with_robustness_and_are_of_the_clean_shots(folder, tmp_path, monkeypatch):
    asked = []

    def straight(shots, keyers):
        asked.extend(shot.name for shot in shots)
        for axis, keyer in product(AXES, keyers):
            for level, mode in product(axis.levels, axis.modes):
                last = level == axis.levels[-1]
                yield Point(axis.key, level, keyer.name, mode, 7.25 if last else 3.0, 1.0, float(last))

    monkeypatch.setattr(commands, "curves", straight)
    said = run(folder, "--models", "", "--opponents", "difference", "--robustness", "--out", tmp_path)
    assert said.exit_code == 0, said.output
    assert asked == ["a"]
    assert {path.name for path in tmp_path.iterdir()} == REPORT | {"robustness.png"}
    assert cv2.imread(str(tmp_path / "robustness.png")).std() > 10
    page = (tmp_path / "evaluation.md").read_text()
    assert page.count("| 7.25, 100% refused |") == sum(len(axis.modes) for axis in AXES)
    assert "| difference, registration off | 3.00 |" in page
    assert "middle frames of 1 clean shots" in page


def test_an_interrupted_run_leaves_the_last_report(made, folder, monkeypatch):
    _, out = made
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "_page", interrupted)
    said = run(folder / "a", "--models", "", "--opponents", "difference", "--out", out)
    assert said.exit_code != 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--opponents", "magic"), "no opponent 'magic'"),
        (("--models", "nobody"), "nobody"),
        (("--models", "", "--opponents", ""), "nothing to measure"),
        (("--device", "cuda:7"), "cuda:7"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_keyed(folder, tmp_path, arguments, words):
    said = run(folder, "--out", tmp_path / "out", *arguments)
    assert said.exit_code > 1
    assert words in said.output
    assert not (tmp_path / "out").exists()


def test_a_bad_shot_is_named_and_leaves_no_report(tmp_path):
    write_shot(tmp_path / "set" / "one", truth_shots.shot(), {})
    (tmp_path / "set" / "one" / "plate.exr").unlink()
    said = run(tmp_path / "set", "--models", "", "--opponents", "difference")
    assert said.exit_code != 0
    assert "plate.exr is missing" in said.output
    assert not (tmp_path / "set" / "evaluation").exists()


def test_missing_libraries_are_named(monkeypatch, folder):
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "pymatting" else object())
    said = run(folder)
    assert said.exit_code == 1
    assert "pymatting" in said.output
    assert "platekey[engine,reports]" in said.output


def test_refusals_are_counted_in_the_means():
    rows = [Row("g", "one", "m", {"mad": 1.0}, 5), Row("g", "two", "m", {"mad": 3.0}, 5, ("why",))]
    assert group_means(rows) == [Row("g", "", "m", {"mad": 2.0}, 10, ("why",))]


def test_every_opponent_can_be_named():
    assert set(commands.OPPONENTS) == {"difference", "closed-form", "mask"}
    assert set(commands.Options(folder=None).opponents) == {"difference", "closed-form"}
