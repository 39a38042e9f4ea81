"""The networks that PlateKey can build: how, how the pipeline calls them, and what is known of their public weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import nn

from engine.network.bgm2020 import BackgroundMatting2020
from engine.network.bgmv2 import BackgroundMattingV2
from engine.network.bgmv2.keyer import Bgmv2Keyer
from engine.network.bgmv2.network import Backbone
from engine.network.folding import folded
from engine.network.keyer import Keyer
from engine.network.platenet import PlateNet, platenet_keyer


@dataclass(frozen=True)
class Architecture:
    """A kind of network.

    Attributes:
        build: makes it untrained, with the names of the public state dict.
        keyer: wraps it for the pipeline, with options of `options`; the network cannot be trained on after that.
        licence: SPDX name, of the public weights; empty where there are none but the shipped.
        origin: where those are to be had.
        data: what those were trained on, one sentence.
        options: what its user may choose: name -> values, the first of them the usual one.
    """

    build: Callable[[], Any]
    keyer: Callable[[Any, Mapping[str, str]], Keyer]
    licence: str
    origin: str
    data: str
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shapes(self) -> dict[str, torch.Size]:
        """Names and shapes of the state dict, without taking its memory."""
        return {name: value.shape for name, value in self._hollow().state_dict().items()}

    def parameters(self) -> int:
        """Number of trained values."""
        return sum(value.numel() for value in self._hollow().parameters())

    def size(self) -> int:
        """Bytes of its state dict in float32."""
        return sum(value.numel() * value.element_size() for value in self._hollow().state_dict().values())

    def _hollow(self) -> nn.Module:
        with torch.device("meta"):
            network: nn.Module = self.build()
        return network


_BGM2020_OPTIONS = {
    "motion": ("published", "wired"),
    "component": ("all", "largest"),
    "size": ("512", "128", "192", "256", "384"),
}


def _bgm2020_keyer(network: BackgroundMatting2020, options: Mapping[str, str]) -> Keyer:
    # Its recipe needs OpenCV, which a server that only starts does not wait for.
    kind = import_module("engine.network.bgm2020.keyer").Bgm2020Keyer
    chosen = {name: options.get(name, values[0]) for name, values in _BGM2020_OPTIONS.items()}
    network.motion = "wired" if chosen["motion"] == "wired" else "published"
    keyer: Keyer = kind(folded(network), chosen["component"] == "largest", int(chosen["size"]))
    return keyer


_REFINE = ("sampling", "thresholding", "full")


def _bgmv2(backbone: Backbone, file: str) -> Architecture:
    return Architecture(
        build=partial(BackgroundMattingV2, backbone),
        keyer=lambda network, options: Bgmv2Keyer(folded(network), options.get("refine", _REFINE[0])),
        licence="MIT",
        origin=f"{file}, linked from github.com/PeterL1n/BackgroundMattingV2",
        data="VideoMatte240K, PhotoMatte13K, Distinctions-646 and Adobe Image Matting, whose terms are their owners'.",
        options={"refine": _REFINE},
    )


ARCHITECTURES: dict[str, Architecture] = {
    "platenet": Architecture(
        build=PlateNet,
        keyer=lambda network, _: platenet_keyer(network),
        licence="",
        origin="shipped with PlateKey",
        data="not stated",
    ),
    "bgm2020": Architecture(
        build=BackgroundMatting2020,
        keyer=_bgm2020_keyer,
        licence="CC-BY-NC-SA-4.0",
        origin="netG_epoch_*.pth, linked from github.com/senguptaumd/Background-Matting",
        data="269 people of the Adobe Image Matting set, and unlabelled video for research only.",
        options=_BGM2020_OPTIONS,
    ),
    "bgmv2-mobilenetv2": _bgmv2("mobilenetv2", "pytorch_mobilenetv2.pth"),
    "bgmv2-resnet50": _bgmv2("resnet50", "pytorch_resnet50.pth"),
    "bgmv2-resnet101": _bgmv2("resnet101", "pytorch_resnet101.pth"),
}
"""By name; what a model is called unless its user names it."""

FACTORIES: dict[str, Callable[[], Any]] = {name: kind.build for name, kind in ARCHITECTURES.items()}
"""Each made untrained, by name."""
