"""The button that asks whether the clean plate can work, before a render."""

# Blender reads an operator's properties from its annotations, so these must not be put off until later.

from typing import Callable, Generator, List

from ..core.inspection import MEASURED, inspect
from ..core.link import LinkClient
from ..core.summary import Progress
from . import board
from .asking import Question
from .plan import Plan


class Inspect(Question):
    """Say from a few frames whether the clean plate can work: registration, exposure, focus, shadows, what moves."""

    bl_idname = "platekey.inspect"
    bl_label = "Inspect"
    wanted = MEASURED

    @staticmethod
    def ask(
        link: LinkClient, plan: Plan, frames: List[int], patience: float, cancelled: Callable[[], bool]
    ) -> Generator[Progress, None, None]:
        """Inspect, and show what is found."""
        board.inspected(plan.identity, (yield from inspect(link, plan.options, frames, patience, cancelled)))


CLASSES: List[type] = [Inspect]
