"""What a student says of a frame, and the pictures that follow from it, in linear light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import EngineError
from engine.network.bgm2020.keyer import cues
from engine.network.display import from_display, to_display
from engine.network.keyer import filled
from engine.network.platenet import decode, encode, squash
from engine.training.adversarial.discriminator import PatchDiscriminator, show
from engine.training.published import gradient_l1, masked_l1, pasted, verdict_loss
from engine.training.stream import Batch

# Alpha below which the foreground goes over from the frame itself to the network's own colour: there the subtraction of
# the plate leaves the plate's faults only.
_HANDOVER = 0.1

# Alpha of the teacher that counts as subject, and how far around it recomposition is judged, as a share of the picture.
_SUBJECT, _AROUND = 0.05, 16

# Straight colours are not decoded beyond this, the largest half.
_BRIGHTEST = 65504.0


class Matted(NamedTuple):
    """What a network says: ``alpha (N, 1, H, W)``, straight linear ``foreground`` and ``shadow (N, 3, H, W)``."""

    alpha: Tensor
    foreground: Tensor
    shadow: Tensor


def _platenet(network: nn.Module, batch: Batch) -> Matted:
    inputs = (batch[name].contiguous(memory_format=torch.channels_last) for name in ("frame", "plate", "valid", "hint"))
    said = network(*inputs, int(batch.get("cell", 0)), batch.get("noise"))
    return Matted(squash(said.logit), decode(said.foreground).clamp(max=_BRIGHTEST), said.shadow)


def _bgm2020(network: nn.Module, batch: Batch) -> Matted:
    """The 2020 network on a crop as it is; its segmentation cue comes from the difference to the plate."""
    frame, plate, valid, hint = (batch[name] for name in ("frame", "plate", "valid", "hint"))
    size = frame.shape[-2:]
    soft = [torch.from_numpy(cue.soft)[None, None].to(frame) for cue in cues(frame, plate, valid, hint)]
    segmentation = torch.cat([functional.interpolate(cue, size=size, mode="bilinear") for cue in soft]) * 2 - 1
    image, behind = (to_display(picture) * 2 - 1 for picture in (frame, filled(frame, plate, valid, hint)))
    alpha, colour = network(image, behind, segmentation, image.mean(1, keepdim=True).expand(-1, 4, -1, -1))
    return Matted(alpha / 2 + 0.5, from_display(colour / 2 + 0.5), torch.ones_like(frame))


READERS: dict[str, Callable[[nn.Module, Batch], Matted]] = {"platenet": _platenet, "bgm2020": _bgm2020}
"""How to ask each architecture."""


def require_reader(architecture: str, options: Mapping[str, object], name: str) -> None:
    """Refuse a network that cannot be asked so.

    Args:
        architecture: a name of `engine.network.architectures.ARCHITECTURES`.
        options: how it is run, or was trained.
        name: of model or run, for the sentence.

    Raises:
        EngineError: UNSUPPORTED for another architecture, and for a `bgm2020` that reads neighbour frames: a shot's
            frames are taken one by one.
    """
    if architecture not in READERS:
        step = f"Choose a model of: {', '.join(READERS)}."
        raise EngineError("UNSUPPORTED", f"The adversarial stage cannot train {architecture!r}.", step)
    if options.get("motion") == "wired":
        message = f"The network of {name} reads neighbour frames, which this stage does not have."
        raise EngineError("UNSUPPORTED", message, "Name one that was trained with composition.motion = 'published'.")


def premultiplied(matted: Matted, batch: Batch) -> Tensor:
    """P of ``I = P + (1 - a) s B`` as it is delivered: the frame less its background; thin light from the network.

    ``(N, 3, H, W)`` linear. An alpha that is too small leaves background in it, one that is too large takes light away:
    both can be seen over another plate.
    """
    own = matted.alpha * matted.foreground
    subtracted = batch["frame"] - (1 - matted.alpha) * matted.shadow * batch["plate"]
    trust = (matted.alpha / _HANDOVER).clamp(max=1) * batch["valid"]
    return trust * subtracted + (1 - trust) * own


def over_other(matted: Matted, batch: Batch) -> Tensor:
    """The subject with its shadow over the batch's other plates, ``(N, 3, H, W)`` linear."""
    return premultiplied(matted, batch) + (1 - matted.alpha) * matted.shadow * batch["other"]


def student_terms(
    said: Matted, taught: Matted, batch: Batch, discriminator: PatchDiscriminator, weights: tuple[float, float]
) -> dict[str, Tensor]:
    """The student's weighted losses, as published, with colours in log code instead of display code.

    * ``deceit``: the discriminator takes the new composite for real.
    * ``recomposition``: over its own plate the picture is the frame again, around the subject.
    * ``alpha``, ``gradient``, ``foreground``: the teacher's.

    Args:
        said: the student's answer.
        taught: the teacher's.
        batch: frames, plates, other plates.
        discriminator: to deceive.
        weights: of the deceit, and of everything else.
    """
    deceit, supervision = weights
    frame, colour, lesson = (
        encode(picture) * 2 - 1 for picture in (batch["frame"], said.foreground, taught.foreground)
    )
    alpha, taught_alpha = said.alpha * 2 - 1, taught.alpha * 2 - 1
    own = decode((pasted(frame, colour, alpha) + 1) / 2)
    again = encode(said.alpha * own + (1 - said.alpha) * said.shadow * batch["plate"]) * 2 - 1
    verdict = show(discriminator, encode(over_other(said, batch)))
    return {
        "deceit": verdict_loss(verdict, real=True) * deceit,
        "recomposition": masked_l1(again, frame, _surroundings(taught.alpha) * batch["valid"]) * 0.05 * supervision,
        "alpha": masked_l1(alpha, taught_alpha) * 0.05 * supervision,
        "gradient": gradient_l1(alpha, taught_alpha) * 0.025 * supervision,
        "foreground": masked_l1(colour, lesson, (taught_alpha > -0.98).float()) * 0.05 * supervision,
    }


def discriminator_loss(discriminator: PatchDiscriminator, frame: Tensor, made: Tensor) -> Tensor:
    """What the discriminator lowers: half its error on real frames and half that on composites, both linear."""
    real = verdict_loss(show(discriminator, encode(frame)), real=True)
    return 0.5 * (real + verdict_loss(show(discriminator, encode(made)), real=False))


def _surroundings(alpha: Tensor) -> Tensor:
    """1 on the subject and a sixteenth of the picture around it; the 2020 system has its dilated segmentation there."""
    reach = max(1, alpha.shape[-1] // _AROUND)
    return functional.max_pool2d((alpha > _SUBJECT).float(), 2 * reach + 1, stride=1, padding=reach)
