"""The stages from frame and clean plate to layers: one room each, pure functions on values; none imports another.

    decode -> colour -> registration -> photometric -> matte -> solve -> layers -> encode

`matte_frame` calls them in this order and holds no arithmetic; `session` is what a device keeps between frames. Three
files serve one stage each: `image_file` is decode's door to OpenImageIO, `ocio_config` colour's door to OpenColorIO,
`grain` the noise model of photometric.
"""
