"""One page about a finished shot."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from engine.errors import EngineError
from engine.pipeline import colour
from engine.pipeline.continuity import Glance, continuity, glance
from engine.pipeline.decode import decode
from engine.reporting.figures import Figures, figures
from engine.reporting.page import Shot, chosen, page
from engine.reporting.pictures import Light, Tiles, tiles
from engine.reporting.result import Result, read_result
from engine.service.job_kinds.work import FileMade, Finished, JobStep, JobWork, Progressed
from engine.service.library import FileRef
from engine.service.translate.requests import color_setup, file_ref, image_ref
from engine.values import Array
from host_bridge.wire.v1 import job_pb2

FILE = "report.html"

_MOST = 16
"""Frames that are shown: a page of one to two megabytes."""

_MEASURING = 0.8
"""Share of the whole time that measuring takes; a shown frame is read once more."""


def run(spec: job_pb2.ReportSpec, work: JobWork) -> Iterator[JobStep]:
    """Measure every result, then draw those that are worth it; one frame in memory at a time."""
    files = _Files(spec, work)
    if not files.numbers:
        raise EngineError("BAD_REQUEST", "No result is named.", "Name at least one.")
    shot, light = yield from _measured(spec.title, files)
    pictures: dict[int, Tiles] = {}
    numbers = chosen(shot, _MOST)
    for index, number in enumerate(numbers):
        yield Progressed(_MEASURING + (1 - _MEASURING) * index / len(numbers), f"Drawing frame {number}")
        result = files.result(number)
        pictures[number] = tiles(result, files.frame(number, result, light.space), light)
    yield FileMade(FILE, page(shot, pictures).encode())
    first = [suspect.number for suspect in shot.first()]
    yield Finished({"frames": len(shot.figures), "first": first, "cuts": list(shot.cuts)})


@dataclass(frozen=True)
class _Files:
    """The files of a job, read when it is their turn."""

    spec: job_pb2.ReportSpec
    work: JobWork

    @property
    def numbers(self) -> list[int]:
        """Of the results, ascending."""
        return sorted(entry.frame for entry in self.spec.results)

    @property
    def config(self) -> colour.ColourConfig:
        """That of the job, else the shipped one."""
        if not self.spec.HasField("color"):
            return colour.load_config(colour.SHIPPED)
        return colour.load_config(color_setup(self.spec.color, self.work.load)[0])

    def space(self, result: Result) -> str:
        """Linear space of a result: what its header names, else what the job says."""
        return result.header.get("colorspace") or self.spec.color.output_space or "scene_linear"

    def result(self, number: int) -> Result:
        """A delivered frame."""
        entry = next(entry for entry in self.spec.results if entry.frame == number)
        return read_result(self.work.load(file_ref(entry.image, f"result {number}")))

    def frame(self, number: int, result: Result, space: str) -> Array | None:
        """The footage behind a result, else what its layers recombine to; None where neither is there."""
        ref = self._footage(number)
        if ref is None:
            return result.frame
        image = colour.to_space(decode(self.work.load(ref)), self.config, space)
        return image.rgb if image.rgb.shape[:2] == result.alpha.shape else None

    def _footage(self, number: int) -> FileRef | None:
        entry = next((entry for entry in self.spec.frames if entry.frame == number), None)
        return None if entry is None else image_ref(entry.image, f"frame {number}")


def _measured(title: str, files: _Files) -> Generator[Progressed, None, tuple[Shot, Light]]:
    """Every result's figures, and the exposure that shows them."""
    found: list[Figures] = []
    glances: dict[int, Glance] = {}
    light: Light | None = None
    header: dict[str, str] = {}
    for index, number in enumerate(files.numbers):
        yield Progressed(_MEASURING * index / len(files.numbers), f"Measuring frame {number}")
        result = files.result(number)
        space = files.space(result)
        frame = files.frame(number, result, space)
        seen = result.premultiplied if frame is None else frame
        if light is None:
            light, header = Light(files.config, space).exposed(seen), result.header
        if frame is not None:
            glances[number] = glance(frame)
        found.append(figures(number, result))
    clip = continuity(list(glances), list(glances.values()))
    return Shot(title or "PlateKey report", found, header, clip.cuts), light or Light(files.config, "scene_linear")
