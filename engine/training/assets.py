"""The photographs that training uses: where each comes from, and under which licence (assets.json)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

MANIFEST = Path(__file__).with_name("assets.json")


@dataclass(frozen=True)
class Asset:
    """A photograph of the manifest; ``held_out`` ones serve validation only."""

    file: str
    package: str
    author: str
    licence: str
    sha256: str
    held_out: bool = False

    def read(self, folder: Path) -> bytes:
        """Its bytes, from a folder.

        Raises:
            EngineError: FILE_MISSING, or BLOB_MISMATCH where it is another file.
        """
        path = folder / self.file
        if not path.is_file():
            step = "Run packaging/fetch_training_assets.py with that folder."
            raise EngineError("FILE_MISSING", f"The training photograph {path} is missing.", step)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            step = "Fetch it again with packaging/fetch_training_assets.py."
            raise EngineError("BLOB_MISMATCH", f"The training photograph {path} is not the one of the manifest.", step)
        return data


def load_manifest() -> list[Asset]:
    """All photographs, in the manifest's order."""
    return [Asset(**entry) for entry in json.loads(MANIFEST.read_text(encoding="utf-8"))]
