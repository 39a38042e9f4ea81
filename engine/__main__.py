"""`python -m engine`: the same as the command ``platekey-engine``."""

from engine.cli import main

main()
