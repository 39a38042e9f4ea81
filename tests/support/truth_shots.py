"""Shots with their truth, small enough to key in a moment: a textured figure in a textured set, closed form."""

from __future__ import annotations

import numpy as np
import scenes

from engine.evaluation.shot import Shot

SIZE = (96, 128)


def shot(name: str = "one", group: str = "here", count: int = 2, size=SIZE, grain: float = 1e-6, clean: bool = True):
    """A locked-off shot whose subject walks 2 px a frame; ``I = P + (1 - a) B``, grain of a variance over all."""
    plate = scenes.shot(size, 3)
    surface = scenes.shot(size, 99) + np.float32([0.6, 0.1, 0.0])
    alphas = [np.roll(scenes.figure(size, 0.2), 2 * i, axis=1) for i in range(count)]
    lights = [(alpha[..., None] * surface).astype(np.float32) for alpha in alphas]
    frames = [light + (1 - alpha[..., None]) * plate for alpha, light in zip(alphas, lights, strict=True)]
    return Shot(
        name=name,
        group=group,
        space="lin_rec709",
        numbers=tuple(range(1001, 1001 + count)),
        frames=[scenes.with_grain(frame, i, grain, 0) for i, frame in enumerate(frames)],
        plate=scenes.with_grain(plate, 77, grain, 0),
        alphas=alphas,
        foregrounds=lights,
        shadows=[np.ones((*size, 3), np.float32) for _ in range(count)],
        clean=clean,
    )
