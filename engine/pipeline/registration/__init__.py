"""Stage 3: the clean plate onto the frame. `register` decides; the other files each answer one question for it."""

from engine.pipeline.registration.blank import clipped_share, is_black
from engine.pipeline.registration.register import register

__all__ = ["clipped_share", "is_black", "register"]
