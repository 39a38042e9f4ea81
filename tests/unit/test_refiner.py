"""The refiner: which pixels a tile sees, that tiles know nothing of one another, and that it is what its layers say."""

import pytest
import torch
from random_pictures import NOISE, inputs

from engine.network.platenet import PlateNet, decode, encode
from engine.network.platenet import platenet as whole
from engine.network.platenet.light import departure, unmixing
from engine.network.platenet.refiner import (
    HALO,
    TILE,
    Tiles,
    apart,
    cut,
    cut_enlarged,
    doubtful_tiles,
    squares,
    tile_pixels,
)
from engine.network.platenet.sampling import enlarged


def quartered(planes):
    """``(K, C, H, W)`` as the refiner wants it, ``(4, C, K, H / 2, W / 2)``: the four pixels of each 2 x 2 apart."""
    return torch.nn.functional.pixel_unshuffle(planes, 2).unflatten(1, (-1, 4)).permute(2, 1, 0, 3, 4)


def test_a_departure_is_half_at_three_deviations_of_the_mean():
    """The mean of four pixels that each lie 1.5 deviations off lies 3 of its own off; what was not seen, none."""
    plate = quartered(torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(5)))
    frame, valid = plate + 1.5 * (1e-5 + 1e-3 * plate).sqrt(), torch.ones(4, 1, 2, 4, 4)
    valid[:, :, 1] = 0
    found = departure(frame, plate, valid, NOISE.expand(2, 3, 2).transpose(0, 1))
    assert found.shape == (3, 2, 4, 4)
    torch.testing.assert_close(found[:, 0], torch.full((3, 4, 4), 0.5), atol=1e-3, rtol=0)
    assert float(found[:, 1].abs().max()) == 0


def test_a_tile_sees_its_pixels_and_the_repeated_edge():
    planes = torch.rand(2, 3, 64, 96)
    tiles = torch.tensor([[0, 0, 0], [1, 1, 2]])
    seen = cut(planes, tile_pixels(tiles, planes))
    padded = torch.nn.functional.pad(planes, (HALO,) * 4, mode="replicate")
    side = TILE + 2 * HALO
    torch.testing.assert_close(seen[0], padded[0, :, :side, :side], rtol=0, atol=0)
    torch.testing.assert_close(seen[1], padded[1, :, 32 : 32 + side, 64 : 64 + side], rtol=0, atol=0)


@pytest.mark.parametrize("cell", [2, 4, 8])
def test_a_tile_sees_what_enlarging_the_whole_shows(cell):
    coarse = torch.rand(2, 3, 64 // cell, 96 // cell)
    tiles = torch.tensor([[0, 0, 1], [1, 0, 0], [1, 1, 2]])
    large = enlarged(coarse, cell)
    torch.testing.assert_close(cut_enlarged(coarse, tiles, cell).transpose(0, 1), cut(large, tile_pixels(tiles, large)))
    square = cut_enlarged(coarse, tiles[1:2], cell, side=2).transpose(0, 1)
    torch.testing.assert_close(square, cut(large, tile_pixels(tiles[1:2], large, side=2)))


def test_pixels_lie_apart_as_the_refiner_wants_them():
    planes, tiles = torch.rand(2, 3, 64, 96), torch.tensor([[0, 0, 0], [1, 1, 2]])
    index = tile_pixels(tiles, planes)
    torch.testing.assert_close(cut(planes, apart(index)), quartered(cut(planes, index)), rtol=0, atol=0)


def test_squares_are_neighbours_and_take_every_tile_once():
    """An L of five tiles holds one square; so does a block of two by three in another picture of the batch."""
    tiles = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 2, 0], [1, 0, 2], [1, 0, 3], [1, 0, 4]])
    tiles = torch.cat((tiles, torch.tensor([[1, 1, 2], [1, 1, 3], [1, 1, 4]])))
    together, alone = squares(tiles, 2, 1)
    assert together.tolist() == [[0, 0, 0], [1, 0, 2]]
    assert alone.tolist() == [[0, 2, 0], [1, 0, 4], [1, 1, 4]]
    together, alone = squares(tiles, 2, 3)
    assert together.shape == (0, 3)
    assert alone.tolist() == tiles.tolist()


def test_doubtful_tiles_are_those_with_a_doubt_in_them():
    doubt = torch.zeros(1, 1, 24, 24)
    doubt[..., 7, 3] = 0.5  # the last row of cells of the first of three rows of tiles
    assert doubtful_tiles(doubt, 8, 0.1).tolist() == [[0, 0, 0]]
    assert len(doubtful_tiles(doubt, 8, 0.6)) == 0


@pytest.fixture(scope="module")
def refining():
    """A network with a refiner that says something: some layers are silent until they have learned."""
    torch.manual_seed(6)
    refining = PlateNet().eval()
    for layer in (refining.refiner.deep[3].body[3], refining.refiner.full[1]):
        torch.nn.init.normal_(layer.weight, std=0.1)
        torch.nn.init.normal_(layer.bias)
    return refining


@pytest.fixture(scope="module")
def glimpse(refining):
    """What `PlateNet.refine` takes beside tiles."""
    frame, plate, valid, hint = inputs()
    with torch.inference_mode():
        sketch = refining.base(whole.seen(frame, plate, valid, hint, 2, NOISE))
        return whole.Pictures(frame, plate, valid, NOISE), whole.enlarge(sketch, 2), sketch.hidden, 2


def test_tiles_know_nothing_of_one_another(refining, glimpse):
    """Whether refined with others, each alone, or as a square."""
    tiles = torch.tensor([[0, y, x] for y in range(2) for x in range(3)])
    with torch.inference_mode():
        together = refining.refine(tiles, *glimpse)
        alone = torch.cat([refining.refine(tile[None], *glimpse) for tile in tiles])
        square = refining.refine(tiles[1:2], *glimpse, side=2)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    quarters = torch.stack([together[index] for index in (1, 2, 4, 5)]).unflatten(0, (2, 2))
    torch.testing.assert_close(square[0], quarters.permute(2, 0, 3, 1, 4).reshape(2, 64, 64), rtol=1e-4, atol=1e-5)


def test_the_refiner_is_its_layers(refining):
    """Second formulation: each layer as itself, pixels side by side."""
    functional, refiner, side = torch.nn.functional, refining.refiner, TILE + 2 * HALO
    frame, plate, shadow, foreground = torch.rand(4, 2, 3, side, side, generator=torch.Generator().manual_seed(7))
    logit, valid = torch.randn(2, 1, side, side), torch.ones(2, 1, side, side)
    hidden, off = torch.rand(2, 16, side // 2, side // 2), torch.rand(2, 3, side // 2, side // 2)
    code, plate_code = encode(frame), encode(plate)
    physics = unmixing(frame, shadow * plate, decode(foreground))
    cues = torch.cat((code, code - plate_code, physics, logit / 8), 1)
    pictures = map(quartered, (frame, plate, valid, shadow, foreground, logit))
    with torch.inference_mode():
        half = refiner.deep(refiner.meet(refiner.look(cues) + refiner.recall(torch.cat((hidden, off), 1))))
        features = functional.pixel_shuffle(refiner.spread(half), 2)
        expected = refiner.full(torch.cat((features, cues[..., 6:-6, 6:-6]), 1))
        found = refiner(Tiles(*pictures, hidden.transpose(0, 1), off.transpose(0, 1)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_squares_change_nothing(refining, monkeypatch):
    """Every tile is refined: in squares as they come, or alone."""
    monkeypatch.setattr(whole, "_REFINE_ABOVE", -1.0)
    answers = []
    for plan in (((2, 1), (1, 1)), ((1, 1),)):
        monkeypatch.setattr(whole, "_SQUARES", plan)
        with torch.inference_mode():
            answers.append(refining(*inputs(128, 96)))
    for ours, theirs in zip(*answers, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_pasting_gives_slopes_where_they_are_asked_for(refining, monkeypatch):
    """Same answer, and every weight of the refiner learns."""
    monkeypatch.setattr(whole, "_REFINE_ABOVE", -1.0)
    with torch.inference_mode():
        plain = refining(*inputs())
    learned = refining(*inputs())
    torch.testing.assert_close(learned.logit, plain.logit, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(learned.uncertainty, plain.uncertainty, rtol=1e-3, atol=1e-4)
    slopes = torch.autograd.grad((learned.logit + learned.uncertainty).sum(), list(refining.refiner.parameters()))
    assert all(float(slope.abs().max()) > 0 for slope in slopes)
