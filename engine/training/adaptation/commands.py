"""What `platekey-engine adapt` does."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import cv2
import torch

from engine.errors import EngineError
from engine.evaluation.keyers import open_session
from engine.network import device as devices
from engine.network.device import preferred_precision
from engine.settings import FrameJob, Knobs, MatteJob, Source
from engine.training.adaptation.adaptation import Adaptation
from engine.training.adaptation.footage import Footage, find_footage
from engine.training.adaptation.model_file import register, write_model
from engine.training.adaptation.state import taken_up
from engine.training.adaptation.wish import Method, Wish
from engine.training.interruption import Interruption

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipJob:
    """The clip, and how it is keyed.

    Attributes:
        shot: pattern or folder.
        clean_plate: file, pattern or frame number.
        frames: range; empty for all.
        model: name.
        colorspace: of clip and plate; empty for scene-linear EXR.
        ocio: configuration.
        device: wish.
        threads: on the CPU; 0 is torch's choice.
    """

    shot: str
    clean_plate: str
    frames: str = ""
    model: str = "platenet"
    colorspace: str = ""
    ocio: str = "platekey://studio"
    device: str = "auto"
    threads: int = 0


def checked_method(name: str) -> Method:
    """A method by its name.

    Raises:
        EngineError: BAD_REQUEST.
    """
    for method in get_args(Method):
        if method == name:
            return method
    raise EngineError("BAD_REQUEST", f"There is no method {name!r}.", f"Choose {' or '.join(get_args(Method))}.")


def run_adaptation(
    clip: ClipJob, method: Method, seconds: float, output: Path, name: str = "", overwrite: bool = False
) -> bool:
    """Adapt, until it is done or a signal asks to stop.

    Args:
        clip: of which.
        method: of learning.
        seconds: of work.
        output: the file to write.
        name: model name to add it under where it helped; empty for none.
        overwrite: replace the file.

    Returns:
        Whether it is done; else the same call goes on.

    Raises:
        EngineError: what is wrong with clip, model, output or disk.
        OSError: the file cannot be written.
    """
    _check_output(output, overwrite)
    if clip.threads:
        torch.set_num_threads(clip.threads)
        cv2.setNumThreads(clip.threads)
    footage = find_footage(clip.shot, clip.clean_plate, clip.frames, clip.colorspace)
    job = _job(clip)
    frames = [(number, partial(_frame, footage, number)) for number in footage.numbers]
    with taken_up(job, method, footage.stamps()) as folder:
        adaptation = Adaptation(Wish(frames, job, folder, method, seconds), open_session(job.device))
        with Interruption() as stopped, closing(adaptation.steps()) as steps:
            _follow(steps, stopped)
    adapted = adaptation.result
    if adapted is None:
        log.info("Stopped as asked; the same command goes on from here.")
        return False
    write_model(output, adapted.data)
    log.info("%s %s", adapted.sentence, output)
    if name and adapted.helped:
        log.info("It is model %s now.", register(adapted.data, name).name)
    return True


def _follow(steps: Iterable[tuple[float, str]], stopped: Interruption) -> None:
    said = ""
    for done, text in steps:
        line = "learning" if text.startswith("learning") else text
        if line != said:
            log.info("%3.0f %% %s", 100 * done, line)
            said = line
        if stopped():
            return


def _check_output(output: Path, overwrite: bool) -> None:
    if output.suffix != ".safetensors":
        raise EngineError("BAD_REQUEST", f"{output.name} is no name for a model.", "Name it like shot.safetensors.")
    if not output.parent.is_dir():
        raise EngineError("FILE_MISSING", f"The folder {output.parent} does not exist.", "Make it, or correct -o.")
    if output.exists() and not overwrite:
        raise EngineError("BAD_REQUEST", f"{output} exists.", "Choose another output, or add --overwrite.")


def _job(clip: ClipJob) -> MatteJob:
    device = devices.choose(clip.device)
    knobs = Knobs(model=clip.model, precision=preferred_precision(device))
    config = clip.ocio if "://" in clip.ocio else _source(Path(clip.ocio), "")
    return MatteJob(knobs, (), config, "scene_linear", device)


def _frame(footage: Footage, number: int) -> FrameJob:
    return FrameJob(
        number=number,
        image=_source(footage.frames[number], footage.space),
        plate=_source(footage.plate_of(number), footage.space),
    )


def _source(path: Path, space: str) -> Source:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise EngineError("FILE_MISSING", message, "Check that it is there.") from error
    return Source(path.name, hashlib.sha256(data).hexdigest(), data, space)
