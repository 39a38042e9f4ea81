"""BackgroundMattingV2: Lin et al., "Real-Time High-Resolution Background Matting", CVPR 2021 (arXiv 2012.07810).

Written anew from the paper and the published description. Modules bear the names of the public checkpoints (MIT
licence), so that their state dicts load as they are.
"""

from engine.network.bgmv2.network import BackgroundMattingV2

__all__ = ["BackgroundMattingV2"]
