"""``nuke -t platekey_nuke.py --script shot.nk --frames 1001-1100``: see `platekey.nuke.driver`."""

import sys

import nuke
from platekey.nuke import driver  # type: ignore[import-not-found]

sys.exit(driver.main(driver.arguments_of(nuke.rawArgs)))
