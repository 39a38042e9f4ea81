"""A long question to the side-car, step by step: what tells its progress and ends with one answer."""

from __future__ import annotations

from typing import Any, Callable, Dict, Generator, Iterator, List, Mapping

from .errors import LinkError
from .link import LinkClient, error_of
from .summary import Progress


def ask(
    link: LinkClient,
    method: str,
    params: Mapping[str, Any],
    cancelled: LinkError,
    patience: float = 0.1,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Generator[Progress, None, Dict[str, Any]]:
    """Ask, step by step.

    Args:
        link: a connection that does nothing else meanwhile.
        method: of the link.
        params: its fields.
        cancelled: raised where it is cancelled.
        patience: seconds that a step may wait; 0 where it must not.
        is_cancelled: asked at each step; true ends it.

    Returns:
        The side-car's answer.

    Raises:
        LinkError: it cannot be done, or was cancelled.
    """
    number = link.submit(method, **params)
    state = Progress(0.0, 0, 1, "Waiting for the engine")
    ended = False
    try:
        while True:
            yield state
            if is_cancelled():
                raise cancelled
            message = link.receive(patience)
            if message is None or message["id"] != number:
                continue
            if "event" in message:
                event = message["event"]
                state = Progress(event.get("done", 0.0), 0, 1, event.get("message", ""))
                continue
            ended = True
            if "error" in message:
                raise error_of(message)
            return message["result"]
    finally:
        if not ended:
            link.cancel(number)


def follow(steps: Generator[Progress, None, Dict[str, Any]], show: Callable[[Progress], None]) -> Dict[str, Any]:
    """Go through the steps of a question to its answer, where a host can wait for it.

    Args:
        steps: as from `ask`.
        show: hears of every step.

    Raises:
        LinkError: as from the steps.
    """
    answers: List[Dict[str, Any]] = []

    def kept() -> Iterator[Progress]:
        answers.append((yield from steps))

    for state in kept():
        show(state)
    return answers[0]
