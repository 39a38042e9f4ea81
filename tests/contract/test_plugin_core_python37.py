"""The nodes' core in the oldest Python that a host brings, from its start of the side-car to the last frame."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from eventually import eventually
from old_python import oldest_python
from side_car import command, environment, platekey, write_footage

import plugin

HOST = """
import json, sys
sys.path.insert(0, sys.argv[1])
from platekey.core import facts, manifest, matte_run, side_car, state, status

options = json.loads(sys.argv[2])
with side_car.connect() as link:
    who = facts.ask_facts(link, options)
    run = matte_run.MatteRun(link, options, range(1, 4), matte_run.Export(lambda frame: None, 1, 3))
    summary = run.run()
    text = status.status_text(link.call("status"), summary.delivered[3])
records = manifest.Manifest(options["output"])
for frame in summary.delivered:
    records.record(frame, state.state_hash({}, [], {}, who.engine, ""), who.engine, "")
gaps = records.missing_or_stale(range(1, 5), lambda frame: state.state_hash({}, [], {}, who.engine, ""))
print(json.dumps([summary.sentence(), list(gaps.missing), list(gaps.stale), text]))
"""


@pytest.fixture
def python():
    found = oldest_python()
    if found is None:
        pytest.skip("no Python 3.7 on this machine")
    return found


def test_a_host_of_2020_runs_it(tmp_path, python):
    shutil.copytree(Path(plugin.__file__).parent, tmp_path / "zoë's node" / "platekey")
    (tmp_path / "out").mkdir()
    env = environment(tmp_path / "höme")
    (tmp_path / "höme").mkdir()
    (tmp_path / "höme" / "host.json").write_text(json.dumps({"side_car": command("link")}), encoding="utf-8")
    frames = write_footage(tmp_path / "shöt", range(1, 4))
    options = {"frames": frames, "clean_plate": "1", "output": str(tmp_path / "out" / "key.####.exr")}
    env["PYTHONPATH"] = "/host/of/2020"
    done = subprocess.run(
        [python, "-c", HOST, str(tmp_path / "zoë's node"), json.dumps(options)],
        env={**env, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sentence, missing, stale, text = json.loads(done.stdout)
    assert sentence == "3 frames: 3 made."
    assert (missing, stale) == ([4], [])
    assert "Device      cpu (Fake CPU)" in text
    assert "side-car: stopping" in platekey(environment(tmp_path / "höme"), "stop").stdout
    eventually(lambda: not (tmp_path / "höme" / "run" / "link.json").exists())
