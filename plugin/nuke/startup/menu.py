"""Nuke runs this when it starts with windows: the node in the toolbar, in the tab key's search, and in the menu bar."""

from platekey.nuke import menus  # type: ignore[import-not-found]

menus.add()
