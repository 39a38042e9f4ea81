"""What runs here and who would compute, as plain values: for ``platekey status --json`` and the link."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import host_bridge
from host_bridge.files import home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host_bridge.connection.client import Identity
    from host_bridge.connection.engines import RunningEngine
    from host_bridge.files.cache import FrameCache


def status_as_json(engines: Iterable[RunningEngine], cache: FrameCache) -> dict:
    """``{version, home, logs, engines, cache}``; sizes in bytes."""
    return {
        "version": host_bridge.__version__,
        "home": str(home.home()),
        "logs": str(home.home() / "log"),
        "engines": [_engine_as_json(engine) for engine in engines],
        "cache": asdict(cache.state()),
    }


def identity_as_json(identity: Identity) -> dict:
    """Who would compute a job: engine, device, models with their weights, built-in colour configurations."""
    described, device = identity.description, identity.device
    return {
        "version": described.version,
        "build": described.build,
        "device": device.id,
        "device_name": device.name,
        "threads": described.threads,
        "models": [
            {"name": model.name, "weights": model.weights_sha256, "commercial_use": model.commercial_use}
            for model in described.models
        ],
        "color_configs": list(described.color_configs),
    }


def _engine_as_json(engine: RunningEngine) -> dict:
    description = engine.description
    names = {device.id: device.name for device in description.devices}
    return {
        "address": engine.address.target,
        "pid": description.pid,
        "version": description.version,
        "build": description.build,
        "device": description.default_device,
        "device_name": names.get(description.default_device, ""),
        "threads": description.threads,
        "uptime": round(description.uptime, 1),
        "active_calls": max(description.active_calls, 0),
        "models": [model.name for model in description.models],
        "ours": engine.ours,
    }
