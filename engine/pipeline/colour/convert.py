"""From the host's spaces to the linear one of all arithmetic, and to the network's.

OpenColorIO does every conversion, with the host's configuration, in float32 and with nothing approximated: its default
replaces logarithms and powers by fast ones that are off by up to 1e-3 (measured: ACEScct to linear Rec.709, codes 0..1,
absolute). Nothing is clamped here; a configuration's own LUTs end where they end.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

import numpy as np
from PyOpenColorIO import (
    COLORSPACE_ALL,
    OPTIMIZATION_LOSSLESS,
    REFERENCE_SPACE_SCENE,
    SEARCH_REFERENCE_SPACE_ALL,
    TRANSFORM_DIR_FORWARD,
    TRANSFORM_DIR_INVERSE,
    ColorSpace,
    Config,
    Processor,
    TransformDirection,
)
from PyOpenColorIO import Exception as OcioError

from engine.errors import EngineError
from engine.pipeline.colour.ocio_config import SHIPPED, ColourConfig, load_config
from engine.values import Alpha, Array, Image, Mask

_ACESCG = "ACEScg"

_AP1_LUMINANCE = np.array([0.2722287168, 0.6740817658, 0.0536895174])
"""Y of the ACEScg primaries, from the AP1 to XYZ matrix of Academy S-2014-004, appendix."""

_MID_GREY = 0.18
_ANCHOR_RANGE = (2.0**-8, 2.0**8)
_ANCHOR_DEPTH = 2.0**-10
"""Ten stops under the median, where a picture holds borders and grain, and the logarithm would weigh them most."""


_USUAL = ("scene_linear", "ACEScg", "Linear Rec.709 (sRGB)", "sRGB - Texture")
"""What an artist most often means, offered where nothing has a similar name."""


def check_linear(config: ColourConfig, space: str) -> None:
    """Accept a scene-linear space, by name, alias or role.

    Raises:
        EngineError: ``COLOR_UNKNOWN``; ``COLOR_NOT_LINEAR`` for an encoded, display-referred or data space.
    """
    found = _find_space(config, space)
    if found.isData() or not _is_linear(config, found):
        raise EngineError(
            "COLOR_NOT_LINEAR",
            f"The colour space '{space}' of '{config.name}' is not scene-linear.",
            "Choose a linear working space, for example ACEScg or linear Rec.709.",
            space=found.getName(),
        )


def to_space(image: Image, config: ColourConfig, space: str) -> Image:
    """Convert an image's colours.

    Between linear spaces the matrix is applied to the colours as they are, premultiplied or not: it commutes with
    alpha. Where either space is not linear, premultiplied colours are divided by alpha first and multiplied after;
    where alpha is 0 there is nothing to divide by, and they are converted as they are.

    Args:
        image: in the space that ``image.space`` names.
        config: configuration that knows both spaces.
        space: name, alias or role of the space to convert to.

    Returns:
        The image in ``space``; with the very same pixels where it was in that space before.

    Raises:
        EngineError: ``COLOR_UNKNOWN``; ``VALUE_OUT_OF_RANGE`` where a colour leaves float's range.
    """
    stored, wanted = _find_space(config, image.space, image.name), _find_space(config, space)
    if stored.isData() != wanted.isData():
        raise EngineError(
            "COLOR_UNKNOWN",
            f"'{image.name}' cannot go from '{image.space}' to '{space}': one of them is for data and has no colours.",
            "State the colour space that the picture was written in.",
        )
    try:
        processor = config.ocio.getProcessor(config.context, stored.getName(), wanted.getName())
        linear = _is_linear(config, stored) and _is_linear(config, wanted)
        associated = image.alpha if image.alpha_state is Alpha.PREMULTIPLIED and not linear else None
        rgb = _apply_associated(processor, image.rgb, associated)
    except (OcioError, FileNotFoundError) as error:
        raise _inconvertible(config, image.space, space, str(error)) from error
    if not np.isfinite(rgb).all():
        raise EngineError(
            "VALUE_OUT_OF_RANGE",
            f"Colours of '{image.name}' leave the range of float from '{image.space}' to '{space}'.",
            "Check that the file is in the colour space stated, or send it scene-linear.",
        )
    return replace(image, rgb=rgb, space=space)


def to_acescg(rgb: Array, config: ColourConfig, space: str) -> Array:
    """Convert linear colours to ACEScg, whatever configuration they come from.

    The way there is the configuration's ``aces_interchange`` role; without one OpenColorIO looks for a space that it
    recognises by its numbers.

    Args:
        rgb: ``(H, W, 3)``.
        config: configuration that knows ``space``.
        space: name, alias or role.

    Raises:
        EngineError: ``COLOR_UNKNOWN``.
    """
    return _cross(rgb, config, space, TRANSFORM_DIR_FORWARD)


def from_acescg(rgb: Array, config: ColourConfig, space: str) -> Array:
    """Undo `to_acescg`."""
    return _cross(rgb, config, space, TRANSFORM_DIR_INVERSE)


def exposure_anchor(plate: Array, valid: Mask) -> float:
    """Return the factor that brings a clean plate's log-average luminance to mid grey.

    The log-average is that of Reinhard et al., "Photographic Tone Reproduction for Digital Images", 2002, equation 1;
    zeros and what lies ten stops under the median are left out instead of offset, so that scaling the plate scales the
    factor inversely.

    Args:
        plate: ``(H, W, 3)`` ACEScg.
        valid: ``(H, W)``; other pixels do not count.

    Returns:
        2**-8 .. 2**8; 1 where no light is left to measure.
    """
    luminance = plate[valid].astype(np.float64) @ _AP1_LUMINANCE
    lit = luminance[luminance > 0]
    if not lit.size:
        return 1.0
    measured = lit[lit >= np.median(lit) * _ANCHOR_DEPTH]
    return float(np.clip(_MID_GREY / np.exp(np.log(measured).mean()), *_ANCHOR_RANGE))


def _find_space(config: ColourConfig, name: str, image: str = "") -> ColorSpace:
    found = config.ocio.getColorSpace(name)
    if found is None:
        of_image = f" of '{image}'" if image else ""
        raise EngineError(
            "COLOR_UNKNOWN",
            f"The colour space '{name}'{of_image} is not in the colour configuration '{config.name}'.",
            _suggest(config, name),
            space=name,
        )
    return found


def _suggest(config: ColourConfig, name: str) -> str:
    known = {role.lower(): role for role in config.ocio.getRoleNames()}
    for space in config.ocio.getColorSpaces(SEARCH_REFERENCE_SPACE_ALL, COLORSPACE_ALL):
        known |= {term.lower(): term for term in (*space.getAliases(), space.getName())}
    close = [known[match] for match in get_close_matches(name.lower(), known, n=3, cutoff=0.6)]
    usual = [name for name in _USUAL if config.ocio.getColorSpace(name)] or sorted(config.ocio.getColorSpaceNames())[:5]
    listed = ", ".join(f"'{match}'" for match in close or usual)
    return f"Did you mean {listed}?" if close else f"Use one that it has, for example {listed}."


def _is_linear(config: ColourConfig, space: ColorSpace) -> bool:
    return bool(config.ocio.isColorSpaceLinear(space.getName(), REFERENCE_SPACE_SCENE))


def _cross(rgb: Array, config: ColourConfig, space: str, direction: TransformDirection) -> Array:
    """Go from a configuration's space to the shipped one's ACEScg, or back, over a space that both have."""
    name, shipped = _find_space(config, space).getName(), load_config(SHIPPED)
    try:
        theirs, ours = Config.IdentifyInterchangeSpace(config.ocio, name, shipped.ocio, _ACESCG)
        ends = ((config.context, config.ocio, name, theirs), (shipped.context, shipped.ocio, _ACESCG, ours))
        source, target = ends if direction == TRANSFORM_DIR_FORWARD else ends[::-1]
        return _apply(Config.GetProcessorFromConfigs(*source, *target), rgb)
    except (OcioError, FileNotFoundError) as error:
        raise _inconvertible(config, space, _ACESCG, str(error)) from error


def _apply(processor: Processor, rgb: Array) -> Array:
    exact = processor.getOptimizedProcessor(OPTIMIZATION_LOSSLESS)
    if exact.isNoOp():
        return rgb
    converted = np.array(rgb, np.float32, order="C")
    exact.getOptimizedCPUProcessor(OPTIMIZATION_LOSSLESS).applyRGB(converted)
    return converted


def _apply_associated(processor: Processor, rgb: Array, alpha: Array | None) -> Array:
    if alpha is None or processor.isNoOp():
        return _apply(processor, rgb)
    divisor: Array = np.where(alpha > 0, alpha, np.float32(1))[..., None]
    return np.multiply(_apply(processor, np.divide(rgb, divisor)), divisor)


def _inconvertible(config: ColourConfig, stored: str, wanted: str, problem: str) -> EngineError:
    return EngineError(
        "COLOR_UNKNOWN",
        f"'{config.name}' cannot convert '{stored}' to '{wanted}': {' '.join(problem.split()).rstrip('.')}.",
        "Send an .ocioz archive with its LUT files, and give it the role 'aces_interchange' where it has none.",
    )
