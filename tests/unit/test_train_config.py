"""A run's configuration: what it takes, and the sentence for what it does not."""

from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.training.config import Adversarial, Composition, Supervised, describe
from engine.training.config_file import EXAMPLES, load_config

MINIMAL = """
[run]
folder = "runs/a"
hours = 2

[supervised]
assets = "photos"
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "run.toml"
        path.write_text(text)
        return path

    return write


def test_what_is_not_said_has_a_default(written):
    config = load_config(written(MINIMAL))
    assert config.run.folder == Path("runs/a")
    assert (config.run.hours, config.run.steps, config.run.seed) == (2.0, 0, 1)
    assert isinstance(config.run.hours, float)
    assert config.recipe == Supervised(Path("photos"))
    assert config.name == "supervised"


def test_overrides_win_and_need_no_quotes(written):
    changes = ["run.hours=0", "run.steps=7", "run.folder=~/b", "run.compile=true", "supervised.size=256"]
    config = load_config(written(MINIMAL), changes)
    assert (config.run.steps, config.run.compile, config.recipe.size) == (7, True, 256)
    assert config.run.folder == Path("~/b").expanduser()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("run.hour=2", "Did you mean 'hours'"),
        ("run.hours=-1", "run.hours is -1. It must be at least 0"),
        ("run.hours=nan", "run.hours is nan"),
        ("run.average=1.5", "at least 0 and at most 1"),
        ("supervised.size=200", "at least 128 and at most 2048, a multiple of 128"),
        ("run.steps=10", "either hours or steps"),
        ("run.hours=0", "either hours or steps"),
        ("run.threads=true", "run.threads is True. It must be a whole number"),
        ("run.threads=1.5", "must be a whole number"),
        ("run.compile=1", "must be true or false"),
        ("run.folder=3", "must be a path"),
        ("run.decay=linear", "must be one of: cosine, constant"),
        ("supervised.encoder=false", "must be a path"),
        ("superwised.size=64", "Did you mean 'supervised'"),
        ("adversarial.shots=a", "one of [supervised], [adversarial], [composition]"),
        ("hours=2", "is no override"),
        ("run.hours", "is no override"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(written, change, sentence):
    with pytest.raises(EngineError) as refused:
        load_config(written(MINIMAL), [change])
    assert refused.value.reason == "BAD_REQUEST"
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[run\n", "is not TOML"),
        ("folder = 'a'\n", "must stand in a table"),
        ("[run]\nfolder = 'a'\nhours = 1\n", "must have [run] and one of"),
        ("[supervised]\nassets = 'a'\n", "must have [run]"),
        ("[run]\nfolder = 'a'\nhours = 1\n[supervised]\n", "must state assets"),
    ],
)
def test_a_file_that_is_none_is_refused(written, text, sentence):
    with pytest.raises(EngineError) as refused:
        load_config(written(text))
    assert sentence in str(refused.value)


def test_a_missing_file_names_the_examples(tmp_path):
    with pytest.raises(EngineError, match="bgm2020, bgm2020_linear, platenet, platenet_adversarial"):
        load_config(tmp_path / "nothing.toml")


def test_every_example_can_be_asked_for_by_name():
    kinds = {path.stem: type(load_config(Path(path.stem)).recipe) for path in EXAMPLES.glob("*.toml")}
    assert kinds == {
        "platenet": Supervised,
        "platenet_adversarial": Adversarial,
        "bgm2020": Composition,
        "bgm2020_linear": Composition,
    }


def test_the_2020_recipe_is_the_published_one():
    config = load_config(Path("bgm2020"))
    assert (config.run.rate, config.recipe.batch, config.recipe.size, config.recipe.light) == (1e-4, 4, 512, "display")
    assert config.run.steps == 60 * 269 * 100 // config.recipe.batch


def test_the_description_tells_no_path(written):
    described = describe(load_config(written(MINIMAL)))
    assert described["recipe"] == "supervised"
    assert described["hours"] == "2.0"
    assert not {"folder", "assets"} & described.keys()
