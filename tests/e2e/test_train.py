"""`platekey-engine train` as a process: it is interrupted, goes on, begins anew, and says what it cannot do."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from unlabelled_shots import write_unlabelled

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them"), pytest.mark.slow]

CONFIG = """
[run]
folder = "{folder}/run"
steps = {steps}
rate = 1e-5
threads = 1
workers = 1
save_minutes = 0.01

[adversarial]
shots = "{folder}/shots"
size = 64
batch = 1
"""


class Place:
    """A folder with a shot and a configuration, and the command that trains there."""

    def __init__(self, folder):
        self.folder, self.run = folder, folder / "run"
        write_unlabelled(folder / "shots" / "a")

    def start(self, *options, steps):
        file = self.folder / "run.toml"
        file.write_text(CONFIG.format(folder=self.folder, steps=steps))
        command = [sys.executable, "-m", "engine", "train", "--config", str(file), *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)

    def finish(self, *options, steps):
        process = self.start(*options, steps=steps)
        said = process.communicate(timeout=280)[1]
        return process.returncode, said

    def step(self, folder="."):
        return torch.load(self.run / folder / "checkpoint.pt", weights_only=True)["step"]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_run_is_interrupted_goes_on_and_begins_anew(place):
    process = place.start(steps=1_000_000)
    limit = time.monotonic() + 250
    while not (place.run / "checkpoint.pt").exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert "Stopped as asked; the same command goes on from here" in said
    left = place.step()
    assert left > 0
    code, said = place.finish(steps=left + 2)
    assert code == 0, said
    assert f"Going on at step {left}" in said
    assert place.step() == left + 2
    assert json.loads((place.run / "log.jsonl").read_text().splitlines()[-1])["step"] == left + 2
    assert (place.run / "samples.png").stat().st_size > 1000
    code, said = place.finish("--fresh", steps=1)
    assert code == 0, said
    assert (place.step(), place.step("earlier-1")) == (1, left + 2)


def test_what_cannot_be_is_one_sentence_and_an_exit_code(place):
    (place.folder / "shots" / "a" / "plate.exr").unlink()
    code, said = place.finish(steps=1)
    assert code == 3
    assert said.splitlines()[-1].startswith("platekey-engine: ")
    assert "plate.exr is missing" in said
    code, said = place.finish("--set", "adversarial.sise=64", steps=1)
    assert code == 2
    assert "[adversarial] has no key 'sise'. Did you mean 'size'?" in said
