"""A run's state on disk: whole or not there, and the one before beside it."""

import errno
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import EngineError
from engine.training import checkpoint
from engine.training.checkpoint import fill, load_checkpoint, put_aside, save_checkpoint


@pytest.fixture
def saved(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, {"step": step, "network": {"weight": torch.arange(3.0)}})
    return tmp_path


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_the_newest_is_read(saved):
    state = load_checkpoint(saved)
    assert state["step"] == 2
    torch.testing.assert_close(state["network"]["weight"], torch.arange(3.0))
    assert {path.name for path in saved.iterdir()} == {"checkpoint.pt", "checkpoint.previous.pt"}


def test_a_broken_one_gives_way_to_the_one_before(saved, caplog):
    cut(saved / "checkpoint.pt")
    assert load_checkpoint(saved)["step"] == 1
    assert "checkpoint.previous.pt" in caplog.text


def test_a_stop_between_the_two_renames_loses_nothing(saved):
    (saved / "checkpoint.pt").unlink()
    assert load_checkpoint(saved)["step"] == 1


def test_two_broken_ones_are_said_so(saved):
    cut(saved / "checkpoint.pt")
    (saved / "checkpoint.previous.pt").write_bytes(b"")
    with pytest.raises(EngineError, match=r"checkpoint.pt and checkpoint.previous.pt cannot be read"):
        load_checkpoint(saved)


def test_code_in_a_checkpoint_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "exploded",)

    torch.save({"network": Bomb()}, tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match="cannot be read"):
        load_checkpoint(tmp_path)
    assert not (tmp_path / "exploded").exists()


def test_without_a_checkpoint_it_says_so(tmp_path):
    with pytest.raises(EngineError, match="no checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("moment", ["write", "sync", "rename"])
def test_a_full_disk_leaves_both_older_ones(saved, monkeypatch, moment):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if moment == "write":
            patch.setattr(Path, "open", full)
        else:
            patch.setattr(*((checkpoint.os, "fsync") if moment == "sync" else (Path, "replace")), full)
        with pytest.raises(OSError, match="No space"):
            save_checkpoint(saved, {"step": 3})
    assert load_checkpoint(saved)["step"] == 2
    assert not (saved / "checkpoint.part").exists()


@pytest.mark.parametrize(
    "other",
    [nn.Linear(3, 3), nn.Linear(2, 2, bias=False), nn.Sequential(nn.Linear(2, 2)), None],
    ids=["shape", "missing", "names", "nothing"],
)
def test_another_network_is_refused_and_nothing_is_filled(other):
    network = nn.Linear(2, 2)
    before = network.weight.clone()
    with pytest.raises(EngineError, match="of another network than Linear"):
        fill(network, None if other is None else other.state_dict(), "runs/a")
    assert torch.equal(network.weight, before)


def test_an_earlier_run_is_put_aside_not_deleted(saved):
    (saved / "log.jsonl").write_text("{}\n")
    assert put_aside(saved) == saved / "earlier-1"
    assert load_checkpoint(saved / "earlier-1")["step"] == 2
    assert put_aside(saved) is None
    save_checkpoint(saved, {"step": 9})
    assert put_aside(saved) == saved / "earlier-2"
