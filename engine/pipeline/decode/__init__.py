"""Stage 1: image files to values. `decode` reads what they mean; `image_file` is its door to OpenImageIO."""

from engine.pipeline.decode.decode import Header, PartHeader, decode, decode_matte, probe

__all__ = ["Header", "PartHeader", "decode", "decode_matte", "probe"]
