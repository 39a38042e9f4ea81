"""A private folder for what OpenImageIO's Python bindings read and write: named files only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards.

    Raises:
        EngineError: ``LIMIT_EXCEEDED`` where the system refuses the folder or, inside the block, a file in it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="platekey-") as folder:
            yield Path(folder)
    except OSError as error:
        place = f"'{tempfile.tempdir}' " if tempfile.tempdir else ""
        raise EngineError(
            "LIMIT_EXCEEDED",
            f"The engine cannot use its temporary folder {place}({error.strerror or error}).",
            "Free space there on the engine's machine, or start the engine with TMPDIR set to another folder.",
        ) from error
