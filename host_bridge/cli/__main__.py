"""``python -m host_bridge.cli``: the command line of an installation that is on no search path."""

from host_bridge.cli import main

main()
