"""Background Matting: Sengupta et al., "The World is Your Green Screen", CVPR 2020 (arXiv 2004.00626).

Written anew from the paper and the published description. Modules bear the names of the public checkpoints
(``netG_epoch_*.pth``, CC BY-NC-SA 4.0), so that their state dicts load once a `DataParallel` prefix is taken off.
"""

from engine.network.bgm2020.network import BackgroundMatting2020

__all__ = ["BackgroundMatting2020"]
