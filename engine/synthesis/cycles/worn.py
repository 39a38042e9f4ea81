"""What people wear on their heads and shoulders: glasses, hats, bags, scarves, veils."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.synthesis.cycles import shapes, surfaces
from engine.synthesis.cycles.hair import Head
from engine.synthesis.cycles.part import Part, Points, Rng, Surface
from engine.synthesis.cycles.skeleton import Posed, Skeleton


@dataclass(frozen=True)
class Worn:
    """Something rigid that moves with a bone; made about that bone's head, in the body's frame at rest."""

    bone: str
    part: Part

    def at(self, posed: Posed) -> Part:
        """It, on a posed body."""
        return shapes.placed(self.part, posed.rotations[self.bone], posed.heads[self.bone])


def glasses(rng: Rng, skeleton: Skeleton, head: Head) -> list[Worn]:
    """Two rims, a bridge and two arms, sometimes dark lenses."""
    frame = replace(surfaces.solid(rng), pattern="plain")
    eyes = [skeleton.heads[f"eye.{side}"] - skeleton.heads["head"] for side in "LR"]
    front = -0.28 * head.axes[1]
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    radius, wire = apart * rng.uniform(0.34, 0.46), apart * rng.uniform(0.015, 0.06)
    rims, lenses, arms = [], [], []
    for eye in eyes:
        centre = eye + np.array((0, front, 0))
        rims.append(shapes.ring(centre, np.array((0, 1, 0)), radius, wire, steps=28))
        lenses.append(shapes.ellipsoid(centre, np.array((radius, radius * 0.06, radius)), steps=16))
        hinge = centre + np.array((np.sign(eye[0]) * radius, 0, 0))
        behind = np.array((np.sign(eye[0]) * head.axes[0] * 0.98, eye[1] + head.axes[1] * 1.1, eye[2]))
        arms.append(shapes.tube(np.linspace(hinge, behind, 6), wire * 0.8))
    bridge = [eye + np.array((-np.sign(eye[0]) * radius, front, 0)) for eye in eyes]
    parts = [shapes.joined([*rims, *arms, shapes.tube(np.linspace(bridge[0], bridge[1], 4), wire)], frame)]
    if rng.random() < 0.5:
        dark = Surface((0.01, 0.01, 0.012), roughness=0.05, opacity=float(rng.choice((0.25, 0.85, 1.0))))
        parts.append(shapes.joined(lenses, dark))
    return [Worn("head", part) for part in parts]


def hat(rng: Rng, skeleton: Skeleton, head: Head) -> list[Worn]:
    """A cap, a beanie, or a hat with a brim of any width."""
    cloth = surfaces.cloth(rng)
    wide, deep, high = head.axes * 1.12
    brim = float(rng.choice((0.0, 0.35, 0.8, 1.4), p=(0.35, 0.3, 0.25, 0.1))) * wide
    top = rng.uniform(0.95, 1.5)
    profile = [
        (1 + brim / wide, 0.22 - 0.1 * brim / wide),
        (1.0, 0.25),
        (1.0, 0.4),
        (0.93, 0.7),
        (0.7, 0.93 * top),
        (0.02, top),
    ]
    points, faces = shapes.turned(np.array(profile if brim else profile[1:]), 36)
    points = points * np.array((wide, deep, high))
    if brim and rng.random() < 0.4:  # A cap's peak: the brim at the front alone.
        flat = points[:, 2] < 0.25 * high
        points[flat & (points[:, 1] > 0), :2] *= wide / (wide + brim)
    place = head.centre - skeleton.heads["head"]
    part = shapes.joined([(points.astype(np.float32), faces)], cloth)
    return [Worn("head", shapes.placed(part, shapes.UPRIGHT, place))]


def bag(rng: Rng, skeleton: Skeleton, head: Head) -> list[Worn]:
    """A rucksack or a bag at the hip, with its strap across the chest."""
    leather = surfaces.solid(rng)
    origin, neck = skeleton.heads["spine01"], skeleton.heads["neck01"]
    side = float(rng.choice((-1, 1)))
    shoulder = neck + np.array((side * 0.1, 0.0, 0.0)) - origin
    low = skeleton.heads["spine05"] + np.array((-side * 0.24, 0.02, -0.05)) - origin
    size = rng.uniform((0.1, 0.04, 0.08), (0.2, 0.1, 0.18))
    if rng.random() < 0.5:
        low = np.array((0, 0.24, -0.1))
        size = rng.uniform((0.12, 0.06, 0.18), (0.18, 0.1, 0.26))
    share = np.linspace(0, 2 * np.pi, 24)[:, None]
    depth = np.array((0, 0.17, 0))
    strap = (shoulder + low) / 2 + np.cos(share) * (shoulder - low) / 2 + np.sin(share) * depth
    meshes = [shapes.box(low, size), shapes.tube(strap, rng.uniform(0.004, 0.014))]
    return [Worn("spine01", shapes.joined(meshes, leather, smooth=False))]


def veil(rng: Rng, skeleton: Skeleton, head: Head) -> list[Worn]:
    """Thin or pierced cloth that hangs from the head; shows what is under it."""
    cloth = surfaces.cloth(rng)
    if rng.random() < 0.5:
        cloth = replace(cloth, opacity=float(rng.uniform(0.25, 0.7)))
    else:
        cloth = surfaces.pierced(rng, cloth)
    rows, columns, drop = 40, 64, rng.uniform(1.5, 4.5)
    down, round_ = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    angle = (round_ - 0.5) * rng.uniform(1.0, 1.5) * np.pi + np.pi / 2
    over = np.minimum(down * (1 + drop), 1) * np.pi / 2
    fall = np.maximum(down * (1 + drop) - 1, 0)
    folds = 1 + (0.08 + 0.12 * fall) * np.sin(angle * rng.integers(5, 12) + rng.uniform(0, 6)) * np.minimum(fall * 3, 1)
    flare = (np.sin(over) + fall * rng.uniform(0.05, 0.3)) * folds
    points = np.stack((np.cos(angle) * flare, np.sin(angle) * flare, np.cos(over) - fall), -1) * head.axes * 1.18
    mesh = (points.reshape(-1, 3).astype(np.float32), [shapes.grid(rows, columns)])
    place = head.centre - skeleton.heads["head"]
    return [Worn("head", shapes.placed(shapes.joined([mesh], cloth), shapes.UPRIGHT, place))]


def stick(rng: Rng, skeleton: Skeleton, head: Head) -> list[Worn]:
    """Something long and thin in the right hand: a pole, a racket, an umbrella, a balloon's string."""
    surface, kind = surfaces.solid(rng), str(rng.choice(("pole", "racket", "umbrella", "balloon")))
    grip = skeleton.heads["finger3-1.R"] - skeleton.heads["wrist.R"]
    up = np.array((0.25, -0.8, 0.55)) + rng.normal(0, 0.2, 3)
    up = (up / np.linalg.norm(up)).astype(np.float32)
    length = float(rng.uniform(0.5, 1.1))
    parts = [
        shapes.joined(
            [shapes.tube(np.linspace(grip - 0.15 * up, grip + length * up, 8), rng.uniform(0.002, 0.015))], surface
        )
    ]
    parts += _on_stick(rng, kind, grip + length * up, up)
    return [Worn("wrist.R", part) for part in parts]


def _on_stick(rng: Rng, kind: str, top: Points, up: Points) -> list[Part]:
    if kind == "balloon":
        return [shapes.joined([shapes.ellipsoid(top, np.full(3, 0.16))], replace(surfaces.solid(rng), pattern="plain"))]
    if kind == "umbrella":
        across = np.cross(up, np.eye(3)[np.abs(up).argmin()])
        turn = np.stack((across / np.linalg.norm(across), np.cross(up, across) / np.linalg.norm(across), up), 1)
        angles = np.linspace(0.02, 1.15, 10)
        points, faces = shapes.turned(np.stack((0.5 * np.sin(angles), 0.45 * np.cos(angles) - 0.45), 1), 32)
        return [shapes.joined([(points @ turn.T + top, faces)], surfaces.cloth(rng))]
    if kind == "racket":
        return [strung(rng, top + 0.13 * up, up)]
    return []


def strung(rng: Rng, centre: Points, up: Points) -> Part:
    """A racket's hoop with its strings."""
    normal = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    normal /= np.linalg.norm(normal)
    side, radius = np.cross(normal, up), 0.13
    meshes = [shapes.ring(centre, normal, radius, 0.008, steps=36)]
    for offset in np.linspace(-0.85, 0.85, 13):
        half = radius * np.sqrt(1 - offset**2)
        for one, two in ((up, side), (side, up)):
            middle = centre + offset * radius * one
            meshes.append(shapes.tube(np.stack((middle - half * two, middle + half * two)), 0.0008, sides=3))
    return shapes.joined(meshes, surfaces.solid(rng))


Wear = Callable[[Rng, Skeleton, Head], list[Worn]]

CHANCES: tuple[tuple[Wear, float], ...] = ((glasses, 0.3), (bag, 0.18), (stick, 0.18), (veil, 0.05))
"""What people wear or carry beside clothes and a hat, each by its own chance."""
