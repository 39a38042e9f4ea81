"""The libraries that evaluation needs and the engine does not: the extra ``reports``."""

from __future__ import annotations

from importlib.util import find_spec

from engine.errors import EngineError

_NEEDED = ("jinja2", "matplotlib", "pymatting")


def require_libraries() -> None:
    """See that they are there, before anything takes its time.

    Raises:
        EngineError: UNSUPPORTED, saying how to install them.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        message = f"Evaluation needs {', '.join(missing)}, which the engine itself does not."
        raise EngineError("UNSUPPORTED", message, "Install them with: pip install 'platekey[engine,reports]'")
