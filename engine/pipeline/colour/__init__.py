"""Stage 2: colour spaces. `convert` goes between them; `ocio_config` is its door to OpenColorIO's configurations."""

from engine.pipeline.colour.convert import check_linear, exposure_anchor, from_acescg, to_acescg, to_space
from engine.pipeline.colour.ocio_config import SHIPPED, ColourConfig, load_config

__all__ = [
    "SHIPPED",
    "ColourConfig",
    "check_linear",
    "exposure_anchor",
    "from_acescg",
    "load_config",
    "to_acescg",
    "to_space",
]
