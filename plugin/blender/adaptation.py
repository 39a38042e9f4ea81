"""The button that adapts the model to the node's shot."""

# Blender reads an operator's properties from its annotations, so these must not be put off until later.

import os
from typing import Callable, Generator, List

from ..core.adaptation import FRAMES, adapt
from ..core.errors import LinkError
from ..core.link import LinkClient
from ..core.summary import Progress
from . import board, group
from .asking import Question
from .plan import Plan


class Adapt(Question):
    """Learn this shot, in some ten minutes: the model is kept under a name of its own, and only where that helps."""

    bl_idname = "platekey.adapt"
    bl_label = "Adapt to This Shot"
    wanted = FRAMES

    @staticmethod
    def ask(
        link: LinkClient, plan: Plan, frames: List[int], patience: float, cancelled: Callable[[], bool]
    ) -> Generator[Progress, None, None]:
        """Adapt; where it helps, the node's model is the adapted one from now on."""
        found = yield from adapt(link, plan.options, plan.identity, _file(plan), frames, patience, cancelled)
        tree = group.tree_with(plan.identity)
        if found["helped"] and tree is not None:
            tree.platekey.model = found["name"]
        board.adapted(plan.identity, found)


CLASSES: List[type] = [Adapt]


def _file(plan: Plan) -> str:
    """Where the model's file goes: into the node's own folder, beside its results.

    Raises:
        LinkError: the folder cannot be made.
    """
    folder = os.path.dirname(plan.results)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise LinkError(
            "OUTPUT_NOT_WRITABLE",
            "{}: the folder {} cannot be made: {}.".format(plan.label, folder, error.strerror),
            "Choose another folder for the results.",
        ) from error
    return os.path.join(folder, "adapted.safetensors")
