"""How far a run is, where Nuke has windows and where it has none; and the way to stop it."""

from __future__ import annotations

import nuke

from ..core.summary import Progress

_WHOLE = 100
"""What a ProgressTask counts to: https://learn.foundry.com/nuke/developers/latest/pythondevguide/, ProgressTask."""


class Monitor:
    """Shows nothing, and never stops a run."""

    def show(self, progress: Progress) -> None:
        """Show how far the run is."""

    def cancelled(self) -> bool:
        """Whether the artist wants it to stop."""
        return False


class TaskBar(Monitor):
    """Nuke's progress bar, with its Cancel button.

    Args:
        name: of the node.
    """

    def __init__(self, name: str) -> None:
        self._task = nuke.ProgressTask("PlateKey: {}".format(name))

    def show(self, progress: Progress) -> None:
        """Move the bar."""
        self._task.setProgress(int(_WHOLE * progress.share))
        self._task.setMessage("{} ({} of {})".format(progress.text, progress.done, progress.total))

    def cancelled(self) -> bool:
        """Whether Cancel was pressed."""
        return bool(self._task.isCancelled())


class Lines(Monitor):
    """A line in the terminal for every frame, as farms want it.

    Args:
        name: of the node.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._done = 0

    def show(self, progress: Progress) -> None:
        """Print a line, where a frame is done since the last one."""
        if progress.done > self._done:
            self._done = progress.done
            nuke.tprint("{}: {} of {} frames".format(self._name, progress.done, progress.total))


def monitor_for(name: str) -> Monitor:
    """What fits the Nuke that runs."""
    return TaskBar(name) if nuke.GUI else Lines(name)
