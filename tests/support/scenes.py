"""Small textured scenes in closed form: a camera move, an exposure, a subject and its shadow are known exactly."""

from __future__ import annotations

import numpy as np

from engine.values import Alpha, Frame, Image, Window


def radiance(x, y, seed: int, cells=(96.0, 41.0, 17.0, 8.0)):
    """Linear colour of a set at continuous points: octaves of smooth value noise over some eight stops."""
    random = np.random.default_rng(seed)
    stops = np.zeros((*np.shape(x), 3))
    for cell in cells:
        lattice = random.normal(size=(256, 256, 3))
        u, v = np.asarray(x) / cell + 16.0, np.asarray(y) / cell + 16.0
        column, row = np.floor(u).astype(int), np.floor(v).astype(int)
        right, down = (_ease(part)[..., None] for part in (u - column, v - row))
        corner = [[lattice[(row + j) % 256, (column + i) % 256] for i in (0, 1)] for j in (0, 1)]
        upper, lower = (pair[0] * (1 - right) + pair[1] * right for pair in corner)
        stops += upper * (1 - down) + lower * down
    return 0.18 * 2.0**stops


def _ease(t):
    return t * t * t * (t * (6 * t - 15) + 10)


def pixels(size):
    """``(H, W)`` x and y of the pixel centres."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return x, y


def shot(size, seed: int, homography=None):
    """``(H, W, 3)`` float32: the set as a camera sees it whose pixels are the plate's under ``homography``."""
    x, y = pixels(size)
    if homography is not None:
        at = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(homography).T
        x, y = at[..., 0] / at[..., 2], at[..., 1] / at[..., 2]
    return radiance(x, y, seed).astype(np.float32)


def figure(size, share: float):
    """``(H, W)`` soft-edged ellipse, standing on the lower edge, that covers about a share of the picture."""
    height, width = size
    x, y = pixels(size)
    radius = np.hypot((x - 0.5 * width) / width, (y - 0.62 * height) / height)
    order = np.sort(radius, axis=None)[int(share * radius.size)]
    return np.clip((order - radius) * min(size) / 4.0 + 0.5, 0.0, 1.0).astype(np.float32)


def with_subject(background, share: float, seed: int = 99):
    """The background behind a textured figure."""
    alpha = figure(background.shape[:2], share)[..., None]
    return (alpha * shot(background.shape[:2], seed) + (1 - alpha) * background).astype(np.float32)


def with_grain(rgb, seed: int, a: float = 1e-5, b: float = 1e-4):
    """Gaussian grain of variance ``a + b * signal``."""
    sigma = np.sqrt(a + b * np.maximum(rgb, 0))
    return (rgb + sigma * np.random.default_rng(seed).normal(size=rgb.shape)).astype(np.float32)


def camera_move(size, shift=(7.3, -4.6), turn=0.006, zoom=1.004, tilt=4e-6):
    """Homography of a hand-held second take: shift in px, turn in radians, zoom, perspective per px."""
    centre = np.array([[1, 0, size[1] / 2], [0, 1, size[0] / 2], [0, 0, 1.0]])
    cosine, sine = zoom * np.cos(turn), zoom * np.sin(turn)
    move = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]], [tilt, -tilt, 1.0]])
    return centre @ move @ np.linalg.inv(centre)


def image(rgb, name: str = "frame.exr", data: Window | None = None, display: Window | None = None, aspect: float = 1.0):
    """Pixels as a decoded image; windows as large as the pixels unless given."""
    whole = Window(0, 0, rgb.shape[1], rgb.shape[0])
    rgb = np.ascontiguousarray(rgb, np.float32)
    return Image(rgb, "lin_rec709", None, Alpha.NONE, Frame(data or whole, display or data or whole, aspect), 0, name)
