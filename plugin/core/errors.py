"""The one error of a node: what is wrong, and what the artist does next."""

from __future__ import annotations


class LinkError(Exception):
    """What the node, the side-car, or the way between them could not do.

    Attributes:
        reason: name of the kind of error, for programs: of ``ErrorReason`` in the wire's ``error.proto``, or of
            the side-car's ``LOCAL_REASONS``.
        message: one sentence: what is wrong.
        next_step: one sentence: what to do about it.
    """

    def __init__(self, reason: str, message: str, next_step: str) -> None:
        super().__init__("{} {}".format(message, next_step))
        self.reason = reason
        self.message = message
        self.next_step = next_step
