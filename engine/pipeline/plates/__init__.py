"""Clean plates that are more than one still: made from the shot itself, averaged, or of a background that moves."""

from engine.pipeline.plates.build import BuiltPlate, build_plate
from engine.pipeline.plates.plate_file import holes, plate_file, without_holes

__all__ = ["BuiltPlate", "build_plate", "holes", "plate_file", "without_holes"]
