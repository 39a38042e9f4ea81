"""PlateKey: process the comp's render range. In Fusion: Script > PlateKey_Process, or the macro's button.

Needs an edition that runs Python: Fusion Studio, Resolve Studio, and Resolve (free) before 21.1.
"""  # noqa: N999 - the menu shows the file's name

import importlib
import os
import sys

_FUSION = globals()  # Fusion puts `fusion` and `comp` there


def _add_package_to_path() -> None:
    """Find PlateKey's package beside the folders in which Fusion looks for scripts."""
    segments = _FUSION["fusion"].MapPathSegments("Scripts:")
    for scripts in segments.values() if isinstance(segments, dict) else segments:
        folder = os.path.join(os.path.dirname(str(scripts).rstrip("/\\")), "PlateKey")
        if os.path.isdir(os.path.join(folder, "platekey")) and folder not in sys.path:
            sys.path.insert(0, folder)


if "comp" in _FUSION:
    _add_package_to_path()
    importlib.import_module("platekey.fusion.process").main(_FUSION["comp"], lambda line: sys.stdout.write(line + "\n"))
