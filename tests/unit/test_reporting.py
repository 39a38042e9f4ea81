"""A report's parts: what is measured of delivered frames, which of them stand out, and what the page says of them."""

import re

import cv2
import numpy as np
import pytest
from exr_files import source_of

from engine.errors import EngineError
from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.encode import encode
from engine.reporting.figures import doubtful, expected_errors, figures, flickers
from engine.reporting.page import Shot, chosen, page
from engine.reporting.pictures import Light, tiles
from engine.reporting.plots import plot
from engine.reporting.ranking import rank
from engine.reporting.result import read_result
from engine.values import Frame, Layers, Window

SIZE = (48, 64)


def layers(column=0, **changes):
    """A result's channels: an opaque box, whose left edge stands at `column`, on a grey set."""
    alpha = np.zeros(SIZE, np.float32)
    alpha[10:40, column : column + 20] = 1
    channels = dict.fromkeys("RGB", 0.5 * alpha) | {"A": alpha}
    channels |= {f"shadow.{name}": np.zeros_like(alpha) for name in "RGBA"}
    channels |= {f"residual.{name}": np.full_like(alpha, 0.01) for name in "RGB"}
    channels |= {f"cleanplate.{name}": np.full_like(alpha, 0.2) for name in "RGB"}
    channels |= {"uncertainty.Y": np.full_like(alpha, 0.02), "validity.Y": np.ones_like(alpha)}
    return channels | changes


def result(channels, **header):
    window = Window(0, 0, SIZE[1], SIZE[0])
    entries = {f"platekey/{name}": value for name, value in {"colorspace": "ACEScg", **header}.items()}
    return read_result(source_of(encode(Layers(channels, False), Frame(window, window), entries), "k.1001.exr"))


def test_a_result_is_read_back_with_its_header():
    one = result(layers(), model="platenet")
    assert one.header == {"colorspace": "ACEScg", "model": "platenet"}
    np.testing.assert_allclose(one.frame[0, 0], 0.2 + 0.01, rtol=1e-6)
    np.testing.assert_allclose(one.frame[20, 5], 0.5 + 0.01, rtol=1e-6)
    bare = result({name: layers()[name] for name in "RGBA"})
    assert bare.frame is bare.uncertainty is bare.validity is bare.residual is None
    assert (bare.shadow == 1).all()


def test_a_file_that_is_no_result_is_refused():
    with pytest.raises(EngineError, match="is no result of PlateKey"):
        read_result(source_of(exr(np.zeros((*SIZE, 3), np.float32)), "f.exr"))


def test_a_frame_is_measured():
    seen = np.ones(SIZE, np.float32)
    seen[:12] = 0
    one = figures(1001, result(layers(**{"validity.Y": seen}), warnings="Look here."))
    assert one.subject == pytest.approx(30 * 20 / (48 * 64))
    assert one.uncertainty == pytest.approx(0.02, rel=1e-3)
    assert one.residual == pytest.approx(0.01, rel=1e-3)
    assert one.unseen == pytest.approx(0.25)
    assert one.warnings == "Look here."


def test_a_subject_that_passes_by_does_not_flicker_and_one_that_blinks_does():
    passing = [figures(number, result(layers(2 * number))) for number in range(1, 6)]
    assert flickers(passing) == [None, 0, 0, 0, None]
    blink = figures(3, result(layers(6, A=np.zeros(SIZE, np.float32))))
    told = flickers([*passing[:2], blink, *passing[3:]])
    assert told[2] > 0.15
    assert flickers(passing[:1]) == [None]
    assert flickers([passing[0], passing[1], passing[4]])[1] is None, "they are no neighbours"


def test_frames_that_stand_out_are_ranked_with_reasons():
    numbers = list(range(1001, 1013))
    noise = [0.01 + 0.0005 * (number % 3) for number in numbers]
    worse = [*noise[:4], 0.05, *noise[5:8], 0.2, *noise[9:]]
    told = ["The plate is old."] * 11 + ["The plate is old. It covers only 30 %."]
    suspects = rank(numbers, {"flicker": worse, "residual": [None] * 12}, told)
    assert [one.number for one in suspects] == [1012, 1009, 1005]
    assert suspects[0].reasons == ("The plate is old. It covers only 30 %.",)
    assert suspects[1].reasons[0].startswith("flicker 0.2, elsewhere 0.0")
    assert rank(numbers, {"flicker": noise}, [""] * 12) == []
    assert rank([1], {"flicker": [0.5]}, [""]) == []


def test_one_frame_in_twenty_is_named_though_none_stands_out():
    numbers = list(range(1001, 1041))
    expected = [0.01 + 1e-5 * (number * 7 % 40) for number in numbers]
    suspects = rank(numbers, {}, [""] * 40, expected)
    assert [one.number for one in suspects] == sorted(numbers, key=lambda n: -expected[n - 1001])[:2]
    assert suspects[0].reasons[0].startswith("most is expected to be wrong here: 0.01")
    series, told = {"flicker": [0.01] * 39 + [0.3]}, ["It is dark."] + [""] * 39
    assert [one.number for one in rank(numbers, series, told, expected)] == [1001, 1017, 1034, 1040]
    both = rank(numbers, {"flicker": [0.3 if number == 1017 else 0.01 for number in numbers]}, [""] * 40, expected)
    assert [(one.number, len(one.reasons)) for one in both] == [(1017, 2), (1034, 1)]


def test_frames_are_ordered_by_doubt_and_by_subject_that_goes_missing():
    walking_in = [0.01 * at for at in range(30)]
    steady = expected_errors([0.002] * 30, walking_in)
    np.testing.assert_allclose(steady[12:18], 0.002, atol=1e-9)
    lost = [*walking_in[:15], walking_in[15] - 0.05, *walking_in[16:]]
    assert int(np.argmax(expected_errors([0.002] * 30, lost)[12:18])) == 3
    doubted = [0.002] * 14 + [0.004] + [0.002] * 15
    assert int(np.argmax(expected_errors(doubted, walking_in)[12:18])) == 2
    assert doubtful(np.float32([[0.1, 0.1], [0.0, 0.6]])) == pytest.approx(0.15)


def test_a_plot_marks_cuts_frames_and_gaps():
    drawn = plot("flicker <i>", [1, 2, 3, 4, 5], [0.1, 0.2, None, 0.1, 0.4], first={5}, cuts=[4])
    assert drawn.count("<polyline") == 2
    assert 'href="#f5"' in drawn
    assert "cut before 4" in drawn
    assert "flicker &lt;i&gt;" in drawn
    assert plot("nothing", [1, 2], [None, None]) == ""


@pytest.fixture
def shot():
    """Nine results, of which the fifth is missing its subject."""
    results = {number: result(layers(2 * (number - 1001))) for number in range(1001, 1010)}
    results[1005] = result(layers(8, A=np.zeros(SIZE, np.float32)))
    found = [figures(number, one) for number, one in results.items()]
    return results, Shot('<b>"shot" & co</b>', found, {"model": "platenet"}, cuts=(1003,))


def test_the_page_holds_everything_itself(shot):
    results, about = shot
    light = Light(colour.load_config(colour.SHIPPED), "ACEScg")
    text = page(about, {number: tiles(one, one.frame, light) for number, one in results.items()})
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert "http" not in text.replace("http-equiv", "")
    assert "<title>&lt;b&gt;&quot;shot&quot; &amp; co&lt;/b&gt;</title>" in text
    assert text.count('type="range"') == 9
    assert re.search(r'<li><a href="#f1005">Frame 1005</a>: flicker', text)
    assert "cut before 1003" in text


def test_frames_that_stand_out_are_always_shown(shot):
    assert 1005 in chosen(shot[1], 1)
    assert len(chosen(shot[1], 5)) == 5
    assert chosen(shot[1], 99) == list(range(1001, 1010))


def test_tiles_show_the_frame_or_the_matte():
    one = result(layers())
    light = Light(colour.load_config(colour.SHIPPED), "ACEScg")
    with_frame, without = tiles(one, one.frame, light), tiles(one, None, light)
    assert with_frame.has_frame
    assert not without.has_frame
    assert without.before == without.alpha
    assert with_frame.after.startswith("data:image/jpeg;base64,")


def test_exposure_brings_a_dark_shot_to_mid_grey():
    dark = np.full((*SIZE, 3), 0.18 / 64, np.float32)
    light = Light(colour.load_config(colour.SHIPPED), "ACEScg")
    pictures = [one.shown(dark) for one in (light, light.exposed(dark))]
    assert cv2.mean(pictures[0])[0] < 30
    assert cv2.mean(pictures[1])[0] > 90
