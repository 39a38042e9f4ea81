"""Clean plates that are more than one still: made from the shot itself, averaged, or of a background that moves."""

from engine.pipeline.plates.build import BuiltPlate, build_plate
from engine.pipeline.plates.faults import plate_faults
from engine.pipeline.plates.gather import Reading
from engine.pipeline.plates.moving import choose
from engine.pipeline.plates.plate_file import holes, plate_file, without_holes
from engine.pipeline.plates.plate_set import moving_images, one_image

__all__ = [
    "BuiltPlate",
    "Reading",
    "build_plate",
    "choose",
    "holes",
    "moving_images",
    "one_image",
    "plate_faults",
    "plate_file",
    "without_holes",
]
