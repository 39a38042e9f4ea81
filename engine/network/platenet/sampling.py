"""Smaller and larger pictures: by OpenCV where it can, since torch takes several times as long on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def pooled(planes: Tensor, times: int) -> Tensor:
    """Means of squares of ``times`` px, a power of two: ``(N, C, H, W)`` to ``(N, C, H / times, W / times)``."""
    while times > 1:
        planes, times = _halved(planes), times // 2
    return planes


def _halved(planes: Tensor) -> Tensor:
    if _by_opencv(planes):
        height, width = (side // 2 for side in planes.shape[-2:])
        return _resized(planes, height, width, "INTER_AREA")
    rows = planes[..., 0::2, :] + planes[..., 1::2, :]
    return (rows[..., 0::2] + rows[..., 1::2]) * 0.25


def blurred(planes: Tensor, size: int) -> Tensor:
    """Means of the square of ``size`` px, odd, around each pixel of ``(N, C, H, W)``; beyond the edge lie zeros.

    Never in half precision, where a sum of highlights would end in infinity.
    """
    channels = planes.shape[1]
    weight = planes.new_full((channels, 1, size, size), 1 / size**2)
    planes = planes.contiguous(memory_format=torch.channels_last)
    with torch.autocast(planes.device.type, enabled=False):
        return functional.conv2d(planes, weight, padding=size // 2, groups=channels).contiguous()


def enlarged(planes: Tensor, times: int) -> Tensor:
    """Planes ``(N, C, H, W)``, bilinear, ``times`` as large."""
    if not _by_opencv(planes):
        return functional.interpolate(planes, scale_factor=times, mode="bilinear", align_corners=False)
    height, width = (side * times for side in planes.shape[-2:])
    return _resized(planes, height, width, "INTER_LINEAR")


def _by_opencv(planes: Tensor) -> bool:
    """Whether OpenCV can: on a CPU, where no slope is asked for and nothing is being compiled."""
    learning = torch.is_grad_enabled() and planes.requires_grad
    plain = planes.device.type == "cpu" and planes.dtype == torch.float32
    return plain and not learning and not torch.compiler.is_compiling()


def _resized(planes: Tensor, height: int, width: int, method: str) -> Tensor:
    import cv2  # noqa: PLC0415 - a server answers before it is loaded

    found = planes.new_empty(*planes.shape[:2], height, width)
    for plane, out in zip(planes.detach().flatten(0, 1), found.flatten(0, 1), strict=True):
        cv2.resize(plane.contiguous().numpy(), (width, height), dst=out.numpy(), interpolation=getattr(cv2, method))
    return found
