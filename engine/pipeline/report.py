"""What a frame says of its own making: figures for the client, sentences for the artist, attributes for the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine import __version__
from engine.network.table import ModelCard, card
from engine.settings import FrameJob, FrameReport, MatteJob
from engine.values import Image, Photometric, Registration, Solution

LOW_CONFIDENCE = 0.3
"""An exposure fit below this is a guess: the artist is told, and neighbours do not count it."""

# Below this share of the frame, and above this residual in px, the artist is told to look.
_LOW_VALID_SHARE = 0.5
_HIGH_RESIDUAL = 1.0

# A garbage matte over more than this share of the frame is rather one that is opaque by mistake.
_ALL_GARBAGE = 0.99


def report(
    images: Sequence[Image],
    placed: Registration,
    fit: Photometric,
    solution: Solution,
    tiles: int,
    seconds: dict[str, float],
    notes: Sequence[str],
) -> FrameReport:
    """Collect what the stages measured.

    Args:
        images: frame and plate as decoded.
        placed: the registration.
        fit: the exposure fit that was used.
        solution: the layers.
        tiles: number of tiles the network ran in.
        seconds: by stage.
        notes: further sentences for the artist.
    """
    frame, plate = images
    exact = np.abs(solution.residual[solution.valid & (solution.garbage == 0)])
    sentences = (*_image_warnings(images), *_plate_warnings(placed, fit, solution), *notes, *_file_warnings(solution))
    if tiles > 1:
        sentences += (f"The network ran in {tiles} tiles: memory is too small for the whole frame.",)
    return FrameReport(
        locked_off=placed.locked_off,
        residual_median_px=placed.residual_median,
        residual_p95_px=placed.residual_p95,
        inliers=placed.inliers,
        gain=fit.gain,
        offset=fit.offset,
        photometric_confidence=fit.confidence,
        nonfinite_frame=frame.nonfinite,
        nonfinite_plate=plate.nonfinite,
        valid_share=float(solution.valid.mean()),
        foreground_share=float(solution.alpha.mean()),
        residual_layer_median=float(np.median(exact)) if exact.size else 0.0,
        residual_layer_p999=float(np.quantile(exact, 0.999)) if exact.size else 0.0,
        warnings=sentences,
        seconds=seconds,
        tiles=tiles,
    )


def model_notes(model: ModelCard, takes_hint: bool, hinted: bool) -> Iterator[str]:
    """What an artist must know of the network that was chosen.

    Args:
        model: its card.
        takes_hint: whether it makes use of a hint.
        hinted: whether one was given.
    """
    if not model.commercial_use:
        yield f"The weights of model {model.name} are not for commercial use (licence: {model.licence})."
    if hinted and not takes_hint:
        yield f"Model {model.name} takes no hint: it was left out."


def _image_warnings(images: Sequence[Image]) -> Iterator[str]:
    # No file names: the same pixels under another name are the same result.
    for what, image in zip(("frame", "clean plate"), images, strict=True):
        if image.nonfinite:
            yield f"{image.nonfinite} samples of the {what} were NaN or infinite and were replaced."


def _plate_warnings(placed: Registration, fit: Photometric, solution: Solution) -> Iterator[str]:
    share = float(solution.valid.mean())
    if share < _LOW_VALID_SHARE:
        yield f"The clean plate covers only {share:.0%} of the frame; the rest is keyed without it."
    if placed.residual_median > _HIGH_RESIDUAL:
        yield f"The clean plate lies {placed.residual_median:.1f} px off; look at the edges, or choose another plate."
    if fit.confidence < LOW_CONFIDENCE:
        yield f"The exposure match is a guess (confidence {fit.confidence:.2f}): little background was found."


def _file_warnings(solution: Solution) -> Iterator[str]:
    if (solution.garbage >= 1).mean() > _ALL_GARBAGE:
        yield "The garbage matte covers the whole frame: check its alpha channel, or invert it."
    elif solution.alpha.max(initial=0) == 0:
        yield "Nothing was keyed: the frame shows no difference from its clean plate."


def attributes(job: MatteJob, frame: FrameJob, measured: FrameReport) -> dict[str, str | float | int]:
    """What goes into the header of the file."""
    model = card(job.knobs.model)
    return {
        "platekey/version": __version__,
        "platekey/model": model.name,
        "platekey/weights": model.sha256,
        "platekey/device": job.device,
        "platekey/colorspace": job.output_space,
        "platekey/plate": frame.plate.sha256,
        "platekey/key": frame.key,
        "platekey/residual_px": measured.residual_median_px,
        "platekey/residual_p95_px": measured.residual_p95_px,
        "platekey/valid_share": measured.valid_share,
        "platekey/warnings": " ".join(measured.warnings),
        **{f"platekey/knob/{name}": value for name, value in vars(job.knobs).items()},
    }
