"""One ``nuke.execute``: callbacks, frames, files."""

from __future__ import annotations

import os

import numpy as np
from fake_nuke import pixels


class Execution:
    """A render of one Write.

    Args:
        session: the Nuke.
        node: the Write.
        frames: numbers to render.
        views: views to render.

    Attributes:
        frame: what is rendered now.
    """

    def __init__(self, session, node, frames, views):
        self._session = session
        self._node = node
        self._frames = frames
        self._views = views
        self.frame = frames[0] if frames else 0

    def run(self):
        """Render.

        Raises:
            RuntimeError: it was aborted: by a callback, by a node, or by the user.
        """
        self._call_back("beforeRender")
        for frame in self._frames:
            self.frame = frame
            if self._session.user_cancels_render == self.frame:
                raise RuntimeError("Cancelled")
            self._call_back("beforeFrameRender")
            for view in self._views:
                self._write(view)
            self._call_back("afterFrameRender")
        self._call_back("afterRender")

    def _write(self, view):
        node, session = self._node, self._session
        if node["reading"].value():
            return
        picture = pixels.render(session, node.input(0), self.frame, view)
        if session.root_node["proxy"].value():
            half = session.root_node["proxy_scale"].value()
            size = tuple(max(int(side * half), 1) for side in picture.size)
            picture = pixels.Picture(size, {name: _scaled(plane, size) for name, plane in picture.planes.items()})
        if not node["raw"].value():
            planes = {name: session.file_transform(plane) for name, plane in picture.planes.items()}
            picture = pixels.Picture(picture.size, planes)
        path = node["file"].evaluate(self.frame, view)
        folder = os.path.dirname(path)
        if not path or (not os.path.isdir(folder) and not node["create_directories"].value()):
            raise RuntimeError(f"{node.fullName()}: Can't open '{path}' for writing")
        os.makedirs(folder, exist_ok=True)
        pixels.write_picture(picture, path, node["channels"].value(), node.knobs()["datatype"].value())

    def _call_back(self, kind):
        """A callback that raises aborts the render."""
        try:
            self._session.call_back(kind, self._node)
        except Exception as error:
            raise RuntimeError(str(error)) from error


def _scaled(plane, size):
    rows, columns = (np.arange(n) * o // n for n, o in zip(reversed(size), plane.shape, strict=True))
    return plane[rows][:, columns]
