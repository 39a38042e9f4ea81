"""The long way out: the node's own Writes export what flows into its inputs, frame by frame.

Float, uncompressed, and raw: the numbers in the files are those in the script, whatever the project's colour rules.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from typing import Dict, Iterable, Optional, Set, Tuple

import nuke

from ..core.errors import LinkError
from ..core.frames import frame_file
from . import anatomy
from .node import KeyNode

_TEMPORARY = "NUKE_TEMP_DIR"
"""Nuke's variable for the folder of its own temporary files."""


class Exchange:
    """Files of one run, in a folder that goes when the run ends. A context manager.

    Args:
        key: the node.
        names: the inputs to export.
        view: the view to export.
    """

    def __init__(self, key: KeyNode, names: Iterable[str], view: str) -> None:
        self._key = key
        self._view = view
        self._writes: Dict[str, nuke.Node] = {name: key.inner(anatomy.export_name(name)) for name in names}
        self._made: Set[Tuple[str, int]] = set()
        self._folder = ""

    def __enter__(self) -> Exchange:
        self._folder = self._make_folder()
        nuke.Undo.disable()  # what goes on and off here is nothing for an artist to undo
        for name, write in self._writes.items():
            write["file"].setValue(self.pattern(name).replace("\\", "/"))
        return self

    def __exit__(self, *exception: object) -> None:
        for write in self._writes.values():
            write["disable"].setValue(True)
            write["file"].setValue("")
        nuke.Undo.enable()
        shutil.rmtree(self._folder, ignore_errors=True)

    def pattern(self, name: str) -> str:
        """Where an input's files go."""
        return os.path.join(self._folder, "{}.%04d.exr".format(name))

    def file(self, name: str, frame: int) -> str:
        """An input's file of a frame."""
        return frame_file(self.pattern(name), frame)

    def export(self, name: str, frame: int) -> None:
        """Write one file, unless it is there.

        Raises:
            LinkError: Nuke cannot render the frame, or the artist cancelled it.
        """
        if (name, frame) in self._made:
            return
        write = self._writes[name]
        write["disable"].setValue(False)
        try:
            nuke.execute(write, frame, frame, 1, [self._view])
        except (RuntimeError, nuke.CancelledError) as error:
            raise self._told(name, frame, str(error)) from error
        finally:
            write["disable"].setValue(True)
        self._made.add((name, frame))

    def forget_before(self, frame: int, kept: Optional[int]) -> None:
        """Delete the files of earlier frames, but of one: a float frame in HD takes 33 MB."""
        for name, number in sorted(self._made):
            if number < frame and number != kept:
                self._made.discard((name, number))
                with suppress(OSError):  # a system that keeps open files lets it go with the folder
                    os.unlink(self.file(name, number))

    def _make_folder(self) -> str:
        place = os.environ.get(_TEMPORARY) or tempfile.gettempdir()
        try:
            return tempfile.mkdtemp(prefix="platekey-", dir=place)
        except OSError as error:
            raise LinkError(
                "OUTPUT_NOT_WRITABLE",
                "{}: the folder for exported frames, {}, cannot be written: {}.".format(
                    self._key.name, place, error.strerror
                ),
                "Point {} at a folder that can.".format(_TEMPORARY),
            ) from error

    def _told(self, name: str, frame: int, words: str) -> LinkError:
        if "cancel" in words.lower():
            return LinkError("CANCELLED", "The run was cancelled.", "Run it again to go on: finished frames stay.")
        return LinkError(
            "IMAGE_UNREADABLE",
            "{}: Nuke cannot render frame {} of the {}: {}.".format(
                self._key.name, frame, anatomy.INPUTS[name], words.rstrip(".")
            ),
            "Mend what Nuke names, then process again.",
        )
