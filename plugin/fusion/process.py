"""Process a range: render the macro's inputs to files, have them keyed, show the results in its Loaders.

The render comes before the host's own, so a farm plays results back and needs no PlateKey. A result of other inputs is
not noticed by Fusion's Loader: process again after a change above the macro; what is still true is not made again.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Callable, Dict

from ..core.errors import LinkError
from ..core.frames import frame_file
from ..core.link import LinkClient
from ..core.matte_run import Export, MatteRun
from ..core.refusals import require_connected, require_plate_frame, require_writable
from ..core.side_car import connect
from ..core.status import error_text
from ..core.summary import Progress, Summary
from .macro import NOT_CHOSEN, Macro, find_macro


def main(comp: Any, say: Callable[[str], None], open_link: Callable[[], LinkClient] = connect) -> bool:  # noqa: ANN401
    """Process the comp's render range; whether every frame is there.

    Args:
        comp: Fusion's comp.
        say: writes a line to the Console.
        open_link: connects to the side-car.
    """
    macro = None
    try:
        macro = find_macro(comp)
        summary = process(macro, open_link)
        summary.require_complete()
    except LinkError as error:
        say(str(error))
        if macro:
            macro.tell(error_text(error))
        return False
    say("{}: {}".format(macro.name, summary.sentence()))
    macro.tell(summary.sentence())
    return True


def process(macro: Macro, open_link: Callable[[], LinkClient]) -> Summary:
    """Process a macro's range.

    Raises:
        LinkError: it cannot be done, or was cancelled.
    """
    attributes = macro.comp.GetAttrs()
    first, last = (int(attributes[name]) for name in ("COMPN_GlobalStart", "COMPN_GlobalEnd"))
    frames = range(int(attributes["COMPN_RenderStart"]), int(attributes["COMPN_RenderEnd"]) + 1)
    require_connected(macro.name, macro.has_frame(), "Frame")
    folder = _folder(macro, str(attributes.get("COMPS_FileName") or ""))
    exchange = os.path.join(folder, "exchange")
    require_writable(macro.name, exchange)
    options = _options(macro, folder, exchange, first, last)
    try:
        with open_link() as link:
            run = MatteRun(
                link,
                options,
                frames,
                Export(lambda frame: _export(macro, exchange, frame), first, last),
                progress=lambda state: _tell(macro, state),
                cancelled=macro.wants_to_cancel,
            )
            summary = run.run()
    finally:
        shutil.rmtree(exchange, ignore_errors=True)
    if summary.delivered:
        macro.show(frame_file(options["output"], min(summary.delivered)))
    return summary


def _options(macro: Macro, folder: str, exchange: str, first: int, last: int) -> Dict[str, Any]:
    space = str(macro.value("Space") or "").strip()
    if not space:
        raise LinkError(
            "BAD_REQUEST",
            "{}: its working space is not chosen.".format(macro.name),
            "Write the space that the pixels are in, for example ACEScg; Fusion does not tell it.",
        )
    options: Dict[str, Any] = {
        "frames": os.path.join(exchange, "frame.####.exr"),
        "clean_plate": _clean_plate(macro, exchange, first, last),
        "output": os.path.join(folder, "keyed.####.exr"),
        "colorspace": space,
        "output_colorspace": space,
        "knobs": macro.knobs(),
    }
    config = str(macro.value("Config") or "")
    return dict(options, ocio=config) if config else options


def _clean_plate(macro: Macro, exchange: str, first: int, last: int) -> str:
    if macro.has_plate():
        return os.path.join(exchange, "plate.####.exr")
    number = int(macro.value("PlateFrame"))
    if number == NOT_CHOSEN:
        raise LinkError(
            "BAD_REQUEST",
            "{}: there is no clean plate.".format(macro.name),
            "Connect one, or go to a frame without the subject and press 'Use current frame'.",
        )
    require_plate_frame(macro.name, number, first, last)
    return str(number)


def _export(macro: Macro, exchange: str, frame: int) -> None:
    macro.export_frame(os.path.join(exchange, "frame.0000.exr"), frame)
    if macro.has_plate():
        macro.export_plate(os.path.join(exchange, "plate.0000.exr"), frame)


def _folder(macro: Macro, comp_file: str) -> str:
    """Where results go: the folder that the artist chose, else one beside the comp's file.

    Raises:
        LinkError: neither is there, as in Resolve, whose comps are no files.
    """
    chosen = str(macro.value("Folder") or "")
    if chosen:
        return chosen
    if not comp_file:
        raise LinkError(
            "BAD_REQUEST",
            "{}: there is no folder for the results.".format(macro.name),
            "Choose one in the macro; a saved comp would have one beside it.",
        )
    return os.path.join(os.path.dirname(comp_file), "platekey", macro.name)


def _tell(macro: Macro, state: Progress) -> None:
    macro.tell("{} of {} frames. {}".format(state.done, state.total, state.text))
