"""Install a node, let it start its side-car and key a frame, take it all away: nothing is left and nothing runs."""

import json
import subprocess
import sys

from side_car import environment, platekey, write_footage

HOST = """
import json, sys
sys.path.insert(0, sys.argv[1])
from platekey.core import matte_run, side_car

with side_car.connect() as link:
    print(matte_run.MatteRun(link, json.loads(sys.argv[2]), [1, 2]).run().sentence())
"""


def test_a_home_is_empty_again(tmp_path):
    home = tmp_path / "zoë's home"
    home.mkdir()
    env = {**environment(home / "own", delay=0.1), "HOME": str(home), "PATH": ""}
    (tmp_path / "out").mkdir()
    frames = write_footage(tmp_path / "shot", [1, 2])
    options = {"frames": frames, "clean_plate": "1", "output": str(tmp_path / "out" / "key.####.exr")}

    assert platekey(env, "install", "nuke").returncode == 0
    node = [sys.executable, "-c", HOST, str(home / ".nuke" / "PlateKey"), json.dumps(options)]
    used = subprocess.run(node, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert used.stdout == "2 frames: 2 made.\n", used.stderr
    assert sorted(path.name for path in (home / "own").iterdir()) == ["cache", "host.json", "hosts", "log", "run"]

    gone = platekey(env, "uninstall", "nuke", "--purge")
    assert gone.returncode == 0, gone.stderr
    assert "side-car: stopping" in gone.stdout
    assert list(home.iterdir()) == []
    assert len(list((tmp_path / "out").glob("*.exr"))) == 2, "results are the artist's"
