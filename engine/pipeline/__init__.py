"""The stages from frame and clean plate to layers, one file each, pure functions on values; none imports another.

    decode -> colour -> registration -> photometric -> matte -> solve -> layers -> encode

`engine.pipeline.matte_frame` calls them in this order and holds no arithmetic.
"""
