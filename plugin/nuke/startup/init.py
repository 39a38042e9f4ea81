"""Nuke runs this when it starts, with and without windows: no frame is rendered with a matte that is not true."""

from platekey.nuke import guard  # type: ignore[import-not-found]

guard.install()
