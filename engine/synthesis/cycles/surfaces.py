"""Surfaces picked at random: skins of all tones, hair, cloth from near-black to near-white."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.synthesis.cycles.part import Colour, Rng, Surface

_PATTERNS = ("plain", "mottled", "stripes", "checks", "dots", "cells", "print")


def _as_colour(values: np.ndarray) -> Colour:
    red, green, blue = (float(value) for value in np.clip(values, 0.004, 0.92))
    return red, green, blue


def skin(rng: Rng) -> Surface:
    """From the deepest to the palest tone: red falls less than green, green less than blue."""
    red = np.exp(rng.uniform(np.log(0.05), np.log(0.78)))
    tone = red * np.array((1, rng.uniform(0.5, 0.72), rng.uniform(0.32, 0.56)))
    blush = tone * np.array((1.0, 0.75, 0.72))
    rough = float(rng.uniform(0.35, 0.65))
    return Surface(_as_colour(tone), _as_colour(blush), "mottled", float(rng.uniform(15, 40)), rough)


def hair(rng: Rng) -> Surface:
    """Black, browns, reds, blonds, greys, white; one head in twelve is dyed."""
    kind = rng.random()
    if kind < 0.3:
        tone = rng.uniform(0.004, 0.02) * np.array((1.1, 1.0, 0.95))
    elif kind < 0.75:
        tone = np.exp(rng.uniform(np.log(0.03), np.log(0.55))) * np.array(
            (1, rng.uniform(0.5, 0.72), rng.uniform(0.22, 0.5))
        )
    elif kind < 0.92:
        tone = rng.uniform(0.15, 0.85) * np.array((1, 0.98, 0.95))
    else:
        tone = rng.uniform(0.02, 0.8, 3)
    return Surface(
        _as_colour(tone), _as_colour(tone * rng.uniform(0.5, 1.6)), roughness=float(rng.uniform(0.2, 0.5)), hair=True
    )


def dye(rng: Rng) -> Colour:
    """A colour of cloth, paint or plastic: a third dark, a fifth near white or pale, the rest anything."""
    kind = rng.random()
    if kind < 0.33:
        return _as_colour(np.exp(rng.uniform(np.log(0.006), np.log(0.08))) * rng.uniform(0.7, 1.3, 3))
    if kind < 0.53:
        return _as_colour(rng.uniform(0.55, 0.88) * rng.uniform(0.88, 1.05, 3))
    if kind < 0.75:
        return _as_colour(rng.uniform(0.08, 0.6) * rng.uniform(0.75, 1.25, 3))
    return _as_colour(rng.uniform(0.01, 0.85, 3))


def cloth(rng: Rng) -> Surface:
    """Cotton, wool, denim or satin, plain or with a pattern."""
    pattern = str(rng.choice(_PATTERNS, p=(0.35, 0.2, 0.12, 0.1, 0.08, 0.08, 0.07)))
    satin = rng.random() < 0.15
    return Surface(
        dye(rng), dye(rng), pattern, float(np.exp(rng.uniform(np.log(6), np.log(80)))),  # type: ignore[arg-type]
        roughness=float(rng.uniform(0.2, 0.4) if satin else rng.uniform(0.6, 1.0)),
    )  # fmt: skip


def solid(rng: Rng) -> Surface:
    """Plastic, wood, leather, paint, now and then metal."""
    metal = rng.random() < 0.2
    pattern = str(rng.choice(_PATTERNS[:2], p=(0.6, 0.4)))
    return Surface(
        dye(rng), dye(rng), pattern, float(rng.uniform(3, 30)), float(rng.uniform(0.15, 0.9)), metal  # type: ignore[arg-type]
    )  # fmt: skip


def leaf(rng: Rng) -> Surface:
    """Green, now and then red or yellow."""
    tone = np.array((rng.uniform(0.02, 0.25), rng.uniform(0.06, 0.4), rng.uniform(0.01, 0.08)))
    if rng.random() < 0.2:
        tone = tone[[1, 0, 2]]
    return Surface(_as_colour(tone), _as_colour(tone * 0.6), "mottled", 30.0, float(rng.uniform(0.3, 0.7)))


def pierced(rng: Rng, surface: Surface, kinds: tuple[str, ...] = ("net", "lace", "knit")) -> Surface:
    """The same cloth with holes: net, lace or a loose knit."""
    holes = str(rng.choice(kinds))
    finest = {"net": 60, "lace": 60, "knit": 80, "tatters": 8}[holes]
    return replace(surface, holes=holes, hole_scale=float(finest * rng.uniform(0.7, 2.5)))  # type: ignore[arg-type]
