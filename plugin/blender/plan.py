"""What one PlateKey node asks for: its inputs, as files that are there or have to be exported, and where results go.

A plan holds plain values only, so that it outlives whatever the artist does to the graph while it is carried out.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import bpy

from ..core.errors import LinkError
from ..core.manifest import Manifest
from ..core.refusals import require_connected, require_one_view, require_plate_frame
from ..core.state import state_hash
from . import colour, compositor, fingerprint, graph, group
from .footage import Footage, Numbering, Sequence, extent, footage_of, read_by, shifted

_SHORT = 12
"""Hex digits of a hash in a folder's name: enough for every state that a shot will see."""

_INPUTS = dict({"frames": group.FRAME, "clean_plate": group.PLATE}, **group.MATTES)
"""Name of an input by the run's option that it feeds."""

_Sockets = Dict[str, bpy.types.NodeSocket]


class _Direct(NamedTuple):
    """Files that do for every connected input; a plate of None is a frame of the clip."""

    frames: Sequence
    plate: Optional[Footage]


class Plan(NamedTuple):
    """A node, ready to be run for any frame.

    Attributes:
        node: the node's name in its tree.
        label: its name as the artist sees it.
        identity: of its group.
        numbering: number of a frame's files and result.
        ends: first and last number of the clip; None where it has no ends.
        exports: names of the inputs to export, by option; empty where the files on disk serve.
        exchange: folder for what is exported.
        results: folder of the results.
        options: of the run.
        held: frame of the clean plate, where it is one of the clip's.
        graph: everything above that a result depends on, but the content of files.
        watched: whether `graph` and the files tell every change above.
        sources: the files that are read above.
    """

    node: str
    label: str
    identity: str
    numbering: Numbering
    ends: Optional[Tuple[int, int]]
    exports: Dict[str, str]
    exchange: str
    results: str
    options: Dict[str, Any]
    held: Optional[int]
    graph: Any
    watched: bool
    sources: List[Footage]

    @property
    def manifest(self) -> Manifest:
        """What is known of the results."""
        return Manifest(self.options["output"])

    def files(self, frame: int) -> List[str]:
        """Files that are read above for a frame of the scene, its temporal window and the clean plate."""
        window = self.options["knobs"]["temporal_window"]
        frames = [*range(frame - window, frame + window + 1), *([] if self.held is None else [self.held])]
        return [source.file(each) for source in self.sources for each in frames]

    def state(self, frame: int, engine: str, weights: str) -> str:
        """Hash of everything that a frame's result depends on, were it made by this engine."""
        return state_hash(self.graph, self.files(frame), self.options["knobs"], engine, weights)


def make_plan(scene: bpy.types.Scene, node: bpy.types.Node) -> Plan:
    """Look at a node and everything above it. Writes nothing but the colour configuration's archive.

    Raises:
        LinkError: one sentence on what does not allow a run.
    """
    label, settings = node.label or node.name, node.node_tree.platekey
    views = scene.render.views if scene.render.use_multiview else []
    require_one_view(label, [view.name for view in views if view.use])
    sockets, direct = _inputs(node, label)
    ends = _ends(sockets["frames"])
    held = None if "clean_plate" in sockets else settings.clean_frame
    if held is not None and ends is not None:
        require_plate_frame(label, held, *ends)
    numbering = direct.frames.numbering if direct else shifted(0)
    size = (scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage)
    above = [{name: fingerprint.described(socket) for name, socket in sockets.items()}, None if direct else size]
    options = _shared_options(node)
    config = os.path.basename(options["ocio"])
    everything = [above, held, options["layers"], options["output_colorspace"], config]
    place = _folder(label, settings)
    exchange = os.path.join(place, "in-" + _short(above, {}))
    results = os.path.join(place, _short(everything, options["knobs"]))
    options.update(_of_files(direct, held) if direct else _of_exports(sockets, held, exchange))
    options["output"] = os.path.join(results, group.RESULT)
    sources = [read_by(each) for socket in sockets.values() for each in graph.opened(graph.above(socket))]
    return Plan(
        node=node.name,
        label=label,
        identity=settings.identity,
        numbering=numbering,
        ends=ends and (numbering.file_number(ends[0]), numbering.file_number(ends[1])),
        exports={} if direct else {option: _INPUTS[option] for option in sockets},
        exchange=exchange,
        results=results,
        options=options,
        held=held,
        graph=everything,
        watched=all(fingerprint.is_watched(socket) for socket in sockets.values()),
        sources=[source for source in sources if source is not None],
    )


def exported_pattern(exchange: str, option: str) -> str:
    """The exported files of an input."""
    return os.path.join(exchange, group.RESULT.replace("keyed", option))


def _inputs(node: bpy.types.Node, label: str) -> Tuple[_Sockets, Optional[_Direct]]:
    """The connected inputs, and the files behind them where the side-car can be sent to these."""
    feeding = {option: graph.feeding(node.inputs[name]) for option, name in _INPUTS.items()}
    require_connected(label, feeding["frames"] is not None, group.FRAME)
    connected = {option: source for option, source in feeding.items() if source is not None}
    sockets = {option: node.inputs[_INPUTS[option]] for option in connected}
    return sockets, _direct({option: _shown(source) for option, source in connected.items()})


def _shown(source: bpy.types.NodeSocket) -> Optional[Footage]:
    return footage_of(source.node) if source.identifier == "Image" else None


def _direct(shown: Mapping[str, Optional[Footage]]) -> Optional[_Direct]:
    """Files do where the frames are numbered, the plate is a still or counts in step with them, and there is no matte.

    A matte's files never do: which of their channels Blender takes for the matte is a matter of the socket.
    """
    frames, plate = shown["frames"], shown.get("clean_plate")
    if not isinstance(frames, Sequence) or any(matte in shown for matte in group.MATTES):
        return None
    if isinstance(plate, Sequence) and not _keeps_step(plate.numbering, frames.numbering):
        return None
    return _Direct(frames, plate) if plate or "clean_plate" not in shown else None


def _keeps_step(plate: Numbering, frames: Numbering) -> bool:
    return plate.start <= frames.start and frames.end <= plate.end and not (plate.cyclic or frames.cyclic)


def _ends(socket: bpy.types.NodeSocket) -> Optional[Tuple[int, int]]:
    """First and last frame of the scene in which there is footage above a socket."""
    found = [ends for ends in map(extent, graph.opened(graph.above(socket))) if ends is not None]
    return (min(first for first, _ in found), max(last for _, last in found)) if found else None


def _short(graph_above: Any, knobs: Mapping[str, Any]) -> str:  # noqa: ANN401 - JSON values
    return state_hash(graph_above, [], knobs, "", "")[:_SHORT]


def _folder(label: str, settings: bpy.types.PropertyGroup) -> str:
    """The node's own folder.

    Raises:
        LinkError: it is beside a file that was never saved.
    """
    if settings.folder.startswith("//") and not bpy.data.filepath:
        raise LinkError(
            "BAD_REQUEST",
            "{}: its results lie beside this file, which was never saved.".format(label),
            "Save the file, or choose another folder for the results.",
        )
    name = "{}-{}".format(re.sub(r"[^\w.-]+", "_", label), settings.identity[:8])
    return os.path.join(os.path.abspath(bpy.path.abspath(settings.folder)), name)


def _shared_options(node: bpy.types.Node) -> Dict[str, Any]:
    return {
        "layers": list(group.wanted_layers(node)),
        "knobs": node.node_tree.platekey.knobs(),
        "ocio": colour.config(),
        "output_colorspace": compositor.working_space(),
    }


def _of_files(direct: _Direct, held: Optional[int]) -> Dict[str, Any]:
    frames, plate = direct
    options: Dict[str, Any] = {"frames": frames.path, "colorspace": frames.space}
    if held is not None:
        options["clean_plate"] = str(frames.numbering.file_number(held))
    if plate is not None:
        options.update(clean_plate=plate.path, plate_colorspace=plate.space)
    if isinstance(plate, Sequence):
        start = frames.numbering.start
        options["plate_offset"] = plate.numbering.file_number(start) - frames.numbering.file_number(start)
    return options


def _of_exports(sockets: _Sockets, held: Optional[int], exchange: str) -> Dict[str, Any]:
    options: Dict[str, Any] = {option: exported_pattern(exchange, option) for option in sockets}
    options["colorspace"] = compositor.working_space()
    if held is not None:
        options["clean_plate"] = str(held)
    return options
