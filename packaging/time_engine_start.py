"""Starts this installation's engine as `platekey matte` would, and says after how long it was first healthy.

Healthy means that the standard health service says so: the device took memory and computed.

python packaging/time_engine_start.py [DEVICE]
"""

from __future__ import annotations

import sys
import time
from contextlib import closing

from host_bridge.cancellation import Cancellation
from host_bridge.connection.client import Engine
from host_bridge.connection.engines import local_engine


def main() -> int:
    """Time one start; an engine that runs already answers at once."""
    device = sys.argv[1] if len(sys.argv) > 1 else "auto"
    began = time.monotonic()
    with closing(Engine(local_engine(device, Cancellation()))) as engine:
        while not engine.is_healthy():
            time.sleep(0.02)
        seconds = time.monotonic() - began
        used = engine.describe().default_device
    sys.stdout.write(f"Engine start to first healthy answer: {seconds:.2f} s on {used}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
