"""The nodes of one render, or of one run that the artist started: planned together, made frame by frame, in order."""

from __future__ import annotations

from typing import Callable, Iterator, List, Sequence

import bpy

from ..core.errors import LinkError
from ..core.summary import Progress
from . import board, group
from .plan import Plan, make_plan
from .take import Take


class Session:
    """Makes frames of nodes that may lie above one another.

    Args:
        scene: the scene of the nodes.
        nodes: the nodes, those above others first.
        cancelled: asked often; true ends the run.

    Raises:
        LinkError: one of them cannot be run as it stands.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        nodes: Sequence[bpy.types.Node],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._takes: List[Take] = []
        for node in nodes:
            plan = _planned(scene, node)
            shown = group.reader(node.node_tree).image.filepath
            group.show_results(node.node_tree, plan.results, plan.numbering)
            if group.reader(node.node_tree).image.filepath != shown:
                board.forget_inspection(plan.identity)
            self._takes.append(Take(scene, plan, self._beneath(len(self._takes)), cancelled))

    @property
    def exports(self) -> bool:
        """Whether a node's inputs have to be rendered to files."""
        return any(take.plan.exports for take in self._takes)

    @property
    def made(self) -> int:
        """Number of results that were made."""
        return sum(len(take.made) for take in self._takes)

    def require(self, frame: int, ahead: Sequence[int] = (), patience: float = 0.1) -> Iterator[Progress]:
        """Make a frame of every node, step by step; ends once all are there. As `Take.require`.

        Raises:
            LinkError: one cannot be made. The node tells in the panel too.
        """
        for place, take in enumerate(self._takes):
            made_before = len(take.made)
            below = [each.plan.held for each in self._takes[place + 1 :] if each.plan.held is not None]
            try:
                for state in take.require(frame, [*below, *ahead], patience):
                    board.progress(take.plan.identity, state)
                    yield state
            except LinkError as error:
                board.failed(take.plan.identity, error)
                raise
            if len(take.made) > made_before:
                self._read_again(take)

    def show_results(self) -> None:
        """Make the window composite anew: it has read the results' files while they were not there yet.

        To read them again is not enough, the image has to be tagged as well (measured: 5.2.2).
        """
        for take in self._takes:
            tree = group.tree_with(take.plan.identity)
            if tree is not None:
                image = group.reader(tree).image
                image.reload()
                image.update_tag()

    def show_slates(self) -> None:
        """Show 'no result' in every node, so that nobody takes what was there before for a result."""
        for take in self._takes:
            tree = group.tree_with(take.plan.identity)
            if tree is not None:
                group.show_slate(tree)

    def close(self) -> None:
        """Cancel what runs and clean up."""
        for take in self._takes:
            take.close()

    def _beneath(self, count: int) -> Callable[[int], None]:
        def make(frame: int) -> None:
            for take in self._takes[:count]:
                for _ in take.require(frame):
                    pass

        return make

    @staticmethod
    def _read_again(take: Take) -> None:
        """Forget the results that were read: some were made anew."""
        tree = group.tree_with(take.plan.identity)
        if tree is not None:
            group.reader(tree).image.reload()


def _planned(scene: bpy.types.Scene, node: bpy.types.Node) -> Plan:
    try:
        return make_plan(scene, node)
    except LinkError as error:
        board.failed(node.node_tree.platekey.identity, error)
        raise
