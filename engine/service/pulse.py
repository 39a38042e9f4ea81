"""Whether the devices still answer."""

from __future__ import annotations

import torch


class Pulse:
    """A few bytes held on every device in use. Touching them tells whether it answers, and waits for no queue."""

    def __init__(self) -> None:
        self._held: list[tuple[torch.Tensor, torch.cuda.Stream | None]] = []

    def add(self, device: str) -> None:
        """Hold a few bytes of a device; on CUDA with a stream of their own, which waits for no frame."""
        stream = torch.cuda.Stream(device) if device.startswith("cuda") else None
        self._held.append((torch.zeros(1, device=device), stream))

    def beats(self) -> bool:
        """Touch every device."""
        try:
            return all(_touch(buffer, stream) for buffer, stream in tuple(self._held))
        except RuntimeError:
            return False


def _touch(buffer: torch.Tensor, stream: torch.cuda.Stream | None) -> bool:
    with torch.cuda.stream(stream):
        return buffer.fill_(1.0).item() == 1.0
