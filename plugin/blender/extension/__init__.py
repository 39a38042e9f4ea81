"""PlateKey as Blender finds it: the root of the extension, beside which `core` and `blender` lie."""

from .blender import register, unregister  # type: ignore[import-untyped]

__all__ = ["register", "unregister"]
