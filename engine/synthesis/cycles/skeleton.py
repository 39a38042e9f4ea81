"""Posing by forward kinematics and linear blend skinning, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.part import Points, unit


@dataclass(frozen=True)
class Pose:
    """How a body stands.

    Attributes:
        aims: bone -> the direction it points in, in the body's own frame; the bones below follow.
        turns: bone -> rotation vector (radians) in the body's own frame at rest, on top of its parent's rotation.
    """

    aims: Mapping[str, Points] = field(default_factory=dict)
    turns: Mapping[str, Points] = field(default_factory=dict)


@dataclass(frozen=True)
class Posed:
    """A body in a pose: its vertices, and where every bone went."""

    points: Points
    heads: Mapping[str, Points]
    rotations: Mapping[str, Points]


class Skeleton:
    """The bones of one shaped body."""

    def __init__(self, atlas: BodyAtlas, shape: Points) -> None:
        self.shape = shape
        self._bones = atlas.bones
        self._groups = atlas.groups
        self.heads = {name: self._end(bone["head"]) for name, bone in self._bones.items()}
        self.tails = {name: self._end(bone["tail"]) for name, bone in self._bones.items()}
        self.order = self._parents_first()
        self.weights = np.zeros((len(shape), len(self.order)), np.float32)
        for column, name in enumerate(self.order):
            for vertex, share in atlas.weights.get(name, ()):
                self.weights[vertex, column] = share
        self.weights /= np.maximum(self.weights.sum(1, keepdims=True), 1e-6)

    def owners(self) -> list[str]:
        """The bone that moves each vertex most."""
        return [self.order[column] for column in self.weights.argmax(1)]

    def posed(self, pose: Pose) -> Posed:
        """Bend the body."""
        rotations: dict[str, Points] = {"": np.eye(3, dtype=np.float32)}
        heads: dict[str, Points] = {}
        motions = np.zeros((len(self.order), 3, 4), np.float32)
        for column, name in enumerate(self.order):
            parent = str(self._bones[name]["parent"])
            above = rotations[parent]
            rotations[name] = above @ self._turn(name, pose, above)
            step = self.heads[name] - self.heads[parent] if parent else self.heads[name]
            heads[name] = above @ step + heads[parent] if parent else step
            motions[column, :, :3] = rotations[name]
            motions[column, :, 3] = heads[name] - rotations[name] @ self.heads[name]
        blended = (self.weights @ motions.reshape(len(self.order), 12)).reshape(-1, 3, 4)
        points = np.einsum("vij,vj->vi", blended[..., :3], self.shape) + blended[..., 3]
        return Posed(points.astype(np.float32), heads, rotations)

    def _turn(self, name: str, pose: Pose, above: Points) -> Points:
        if name in pose.aims:
            return aligning(unit(self.tails[name] - self.heads[name]), above.T @ unit(np.asarray(pose.aims[name])))
        return turning(np.asarray(pose.turns[name])) if name in pose.turns else np.eye(3, dtype=np.float32)

    def _end(self, rule: Mapping[str, Any]) -> Points:
        """Where a bone begins or ends on this shape: the middle of a joint's cube, a vertex, or the mean of some."""
        if rule["strategy"] == "CUBE":
            return np.asarray(self.shape[np.unique(self._groups[rule["cube_name"]])].mean(0), np.float32)
        vertices = rule["vertex_indices"] if rule["strategy"] == "MEAN" else [rule["vertex_index"]]
        return np.asarray(self.shape[vertices].mean(0), np.float32)

    def _parents_first(self) -> list[str]:
        order: list[str] = []
        waiting = list(self._bones)
        while waiting:
            ready = [name for name in waiting if self._bones[name]["parent"] in ("", *order)]
            order += ready
            waiting = [name for name in waiting if name not in ready]
        return order


def turning(vector: Points) -> Points:
    """The rotation matrix of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = unit(vector)
    cross = np.array(((0, -z, y), (z, 0, -x), (-y, x, 0)), np.float32)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross, np.float32)


def aligning(source: Points, target: Points) -> Points:
    """The smallest rotation that takes one unit vector to another."""
    axis = np.cross(source, target)
    angle = np.arctan2(np.linalg.norm(axis), source @ target)
    return turning(unit(axis) * angle)
