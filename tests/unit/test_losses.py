"""Losses: nothing to learn from the truth, gradients everywhere, tiles where they are needed."""

import pytest
import torch

from engine.network.platenet import PlateNet
from engine.training import losses


@pytest.fixture
def batch():
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    alpha = ((40 - torch.hypot(x - 64, y - 64)) / 4 + 0.5).clamp(0, 1).expand(2, 1, -1, -1).contiguous()
    plate, colour = torch.rand(2, 3, 128, 128) * 0.2 + 0.1, torch.tensor((0.9, 0.2, 0.1)).view(1, 3, 1, 1)
    return {
        "frame": alpha * colour + (1 - alpha) * plate,
        "plate": plate,
        "valid": torch.ones(2, 1, 128, 128),
        "hint": torch.zeros(2, 2, 128, 128),
        "alpha": alpha,
        "shadow": torch.ones(2, 3, 128, 128),
        "foreground": alpha * colour,
        "cell": torch.tensor(4),
        "pairs": torch.tensor(True),
    }


def test_every_part_of_the_network_learns(batch):
    torch.manual_seed(1)
    network = PlateNet().train()
    sum(losses.step_losses(network, batch).values()).backward()
    still = {name for name, value in network.named_parameters() if value.grad is None}
    # They wait behind layers that begin at zero, and get a gradient as soon as those have moved.
    assert {name.partition(".")[0] + "." + name.split(".")[1] for name in still} <= {"refiner.deep"}


def test_learning_one_batch_lowers_its_loss(batch):
    torch.manual_seed(2)
    network = PlateNet().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    totals = []
    for _ in range(12):
        total = torch.stack(list(losses.step_losses(network, batch).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.7 * totals[0]


def test_flicker_is_judged_in_pairs_only(batch):
    network = PlateNet().train()
    assert "flicker" in losses.step_losses(network, batch)
    batch["pairs"] = torch.tensor(False)
    assert "flicker" not in losses.step_losses(network, batch)


def test_tiles_of_the_band_come_first(batch):
    torch.manual_seed(3)
    network = PlateNet().eval()
    with torch.no_grad():
        network.base.heads.weight.zero_()
        network.base.heads.bias.fill_(-12.0)  # no doubt anywhere
        pictures = [batch[name] for name in ("frame", "plate", "valid", "hint")]
        sketch = network.base(losses.seen(*pictures, 4, losses.known_noise(None, pictures[0])))
        tiles = losses._training_tiles(sketch, batch["alpha"], 4)
    soft = torch.nn.functional.max_pool2d(((batch["alpha"] > 0.01) & (batch["alpha"] < 0.99)).float(), 32)[:, 0]
    assert all(soft[tuple(tile)] == 1 for tile in tiles)


def test_the_laplacian_of_a_constant_is_nothing():
    assert float(losses.laplacian(torch.full((1, 1, 32, 32), 0.3), 3)) == pytest.approx(0, abs=1e-6)
    spike = torch.zeros(1, 1, 32, 32)
    spike[..., 16, 16] = 1
    assert float(losses.laplacian(spike, 3)) > 0
