"""The layer `uncertainty`: the network's doubt, what the solve sees beside it, and what the artist decides."""

import numpy as np
import pytest

from engine.pipeline.solve import solve
from engine.pipeline.solve.uncertainty import FLOOR, expected_error
from engine.settings import Knobs
from engine.values import Matte, Photometric, Plate

SIZE = (32, 48)
FIT = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((1e-6, 1e-5),) * 3)
BEHIND, SUBJECT = np.float32((0.2, 0.3, 0.4)), np.float32((0.8, 0.4, 0.1))


def plane(value):
    return np.full(SIZE, value, np.float32)


def coloured(colour):
    return np.tile(np.float32(colour), (*SIZE, 1))


def expected(alpha, doubt=0.05, said=None, true=None):
    """At a pixel within areas of one alpha, of which the network may have said another."""
    true = alpha if true is None else true
    frame = coloured(true * SUBJECT + (1 - true) * BEHIND)
    matte = Matte(plane(alpha if said is None else said), coloured(1), plane(doubt), coloured(SUBJECT))
    return float(expected_error(frame, coloured(BEHIND), matte, plane(alpha), coloured(0.003))[16, 24])


def test_more_doubt_is_more_error_and_next_to_none_is_none():
    rising = [expected(1.0, doubt) for doubt in (0.02, 0.1, 0.3, 0.8)]
    assert rising == sorted(set(rising))
    assert rising[0] > FLOOR
    assert expected(1.0, 1e-3) == 0
    assert expected(0.0, 0.0) == 0


def test_soft_changed_and_contradicted_alphas_are_doubted_more():
    assert expected(0.5) > expected(1.0)
    assert expected(0.3, said=0.9) > expected(0.3)
    assert expected(0.3, true=0.8) > expected(0.3)


def test_an_edge_is_doubted_more_than_what_lies_beside_it():
    alpha = plane(0)
    alpha[:, 24:] = 1
    frame = alpha[..., None] * SUBJECT + (1 - alpha[..., None]) * BEHIND
    matte = Matte(alpha, coloured(1), plane(0.05), coloured(SUBJECT))
    told = expected_error(frame, coloured(BEHIND), matte, alpha, coloured(0.003))
    assert told[16, 23:25].min() > told[16, [10, 40]].max()


@pytest.mark.parametrize("decided", ["garbage", "core"])
def test_what_the_artist_decides_is_not_doubted(decided):
    mask = plane(0)
    mask[:, :24] = 1
    matte = Matte(plane(0.5), coloured(1), plane(0.3), coloured(SUBJECT))
    frame, plate = coloured(0.5 * SUBJECT + 0.5 * BEHIND), Plate(coloured(BEHIND), np.ones(SIZE, bool))
    mattes = {"garbage": plane(0), "core": plane(0)} | {decided: mask}
    told = solve(frame, plate, matte, FIT, Knobs(), **mattes).uncertainty
    assert (told[:, :24] == 0).all()
    assert (told[:, 26:] > 0.1).all()
    assert told.dtype == np.float32
