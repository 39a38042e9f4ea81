"""Smaller and larger pictures. Torch's own kernels take several times as long on a CPU, measured on planes of HD."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def pooled(planes: Tensor, times: int) -> Tensor:
    """Means of squares of ``times`` px, a power of two: ``(N, C, H, W)`` to ``(N, C, H / times, W / times)``."""
    while times > 1:
        rows = planes[..., 0::2, :] + planes[..., 1::2, :]
        planes, times = (rows[..., 0::2] + rows[..., 1::2]) * 0.25, times // 2
    return planes


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
    """Planes ``(N, C, H, W)``, bilinear, ``times`` as large; by OpenCV where no slope is asked for."""
    height, width = (side * times for side in planes.shape[-2:])
    learning = torch.is_grad_enabled() and planes.requires_grad
    if learning or planes.device.type != "cpu" or planes.dtype != torch.float32:
        return functional.interpolate(planes, scale_factor=times, mode="bilinear", align_corners=False)
    import cv2  # noqa: PLC0415 - a server answers before it is loaded

    large = planes.new_empty(*planes.shape[:2], height, width)
    for plane, out in zip(planes.detach().flatten(0, 1), large.flatten(0, 1), strict=True):
        cv2.resize(plane.contiguous().numpy(), (width, height), dst=out.numpy(), interpolation=cv2.INTER_LINEAR)
    return large
