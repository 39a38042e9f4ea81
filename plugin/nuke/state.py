"""Whether results are still true: everything that Nuke knows of what goes into them, as hashes.

A node's results lie in a folder named after the hash of graph and knobs. Turning a knob therefore points the node at
another folder, and turning it back at the first one, whose results are still there. What changes in a file is
noticed frame by frame, by the manifest beside the results.
"""

from __future__ import annotations

from typing import Any, Dict, List

import nuke

from ..core.manifest import Gaps, Manifest
from ..core.state import state_hash
from . import anatomy
from .node import KeyNode
from .stream import Stream

_SETUP = ("plate_mode", "direct", "all_layers", "ocio_config", "working_space")
"""The node's own knobs that change pixels; the clean plate's frame counts by what it is."""

_PROJECT = ("format", "fps", "colorManagement", "OCIO_config", "customOCIOConfigPath", "workingSpaceLUT")
"""Knobs of the script as a whole that nodes depend on."""

_FOLDER_DIGITS = 12


class NodeState:
    """A node's state, as the script is now.

    Args:
        key: the node.

    Attributes:
        streams: by the name of the input, those connected.
        folder: name of the folder for results of this state.
    """

    def __init__(self, key: KeyNode) -> None:
        self._key = key
        self._settings = key.settings()
        self.streams: Dict[str, Stream] = {}
        for name in anatomy.EXPORTS:
            source = key.source(name)
            if source is not None:
                self.streams[name] = Stream(source)
        self._upstream = self._describe()
        self.folder = state_hash(self._upstream, [], self._settings, "", "")[:_FOLDER_DIGITS]
        self._shared = ""

    def manifest(self) -> Manifest:
        """What is known of this state's results.

        Raises:
            LinkError: the cache folder is nowhere.
        """
        return Manifest(self._key.pattern(self.folder))

    def at(self, frame: int, engine: str, weights: str) -> str:
        """The state of a frame, made by an engine with some weights."""
        if not self._shared:  # looked up when first needed: turning a knob asks for the folder only
            files = [file for stream in self.streams.values() for file in stream.shared_files()]
            self._shared = state_hash([], files, {}, "", "")
        return state_hash([self._upstream, self._shared], self._files(frame), self._settings, engine, weights)

    def gaps(self, frames: List[int]) -> Gaps:
        """Frames without a result of this state, whichever engine made it.

        Raises:
            LinkError: the cache folder is nowhere.
        """
        manifest = self.manifest()
        made_by = {frame: manifest.entry(frame) for frame in frames}

        def state_of(frame: int) -> str:
            entry = made_by[frame]
            return self.at(frame, entry.engine, entry.weights) if entry else ""

        return manifest.missing_or_stale(frames, state_of)

    def _describe(self) -> Any:  # noqa: ANN401 - JSON values
        project = nuke.root()
        return {
            "inputs": {name: stream.nodes for name, stream in self.streams.items()},
            "plate": self._key.plate_frame(),
            "setup": {name: self._key.value(name) for name in _SETUP},
            "project": {name: _script_value(project, name) for name in _PROJECT},
        }

    def _files(self, frame: int) -> List[str]:
        """Files behind a frame: its neighbours', its mattes', its clean plate's."""
        window = self._key.window()
        around = range(frame - window, frame + window + 1)
        plate_frame = self._key.plate_frame()
        plate = self.streams.get("CleanPlate") or self.streams.get("Frame")
        found: List[str] = []
        for name, stream in self.streams.items():
            if name != "CleanPlate":
                for number in around if name == "Frame" else [frame]:
                    found += stream.files(number)
        if plate is not None:
            for number in around if plate_frame is None else [plate_frame]:
                found += plate.files(number)
        return found


def _script_value(node: nuke.Node, name: str) -> str:
    knob = node.knob(name)
    return knob.toScript() if knob is not None else ""
