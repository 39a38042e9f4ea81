"""The critic: says of every patch of a picture whether it was photographed or composited."""

from __future__ import annotations

from torch import Tensor, nn

_WIDTH, _LAYERS, _KERNEL, _PADDING = 64, 3, 4, 2


class PatchDiscriminator(nn.Sequential):
    """PatchGAN (Isola et al., CVPR 2017): 2.76 million parameters, a verdict for patches of 70 px.

    Width 64, three strided layers and instance normalisation as in the 2020 system. ``(N, 3, H, W)`` in about -1..1 to
    ``(N, 1, H / 8 + 2, W / 8 + 2)``, about 1 for real and 0 for made; at least 16 px a side.
    """

    def __init__(self) -> None:
        layers: list[nn.Module] = [nn.Conv2d(3, _WIDTH, _KERNEL, 2, _PADDING), nn.LeakyReLU(0.2, inplace=True)]
        wide = _WIDTH
        for layer in range(1, _LAYERS + 1):
            stride = 2 if layer < _LAYERS else 1
            layers += [
                nn.Conv2d(wide, wide * 2, _KERNEL, stride, _PADDING),
                nn.InstanceNorm2d(wide * 2),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            wide *= 2
        super().__init__(*layers, nn.Conv2d(wide, 1, _KERNEL, 1, _PADDING))
        self.apply(_begin)


def _begin(module: nn.Module) -> None:
    """Weights as in pix2pix: normal with deviation 0.02 (Isola et al., section 6.2)."""
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)


def show(discriminator: PatchDiscriminator, code: Tensor) -> Tensor:
    """Verdicts on pictures in log code 0..1."""
    verdict: Tensor = discriminator(code * 2 - 1)
    return verdict
