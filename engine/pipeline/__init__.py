"""The stages from frame and clean plate to layers: one room each, pure functions on values; none imports another.

    decode -> colour -> registration -> photometric -> matte -> solve -> layers -> encode

A stage of several files is a folder whose `__init__` names what others may call. `matte_frame` calls the stages in this
order and holds no arithmetic; `window` steadies the exposure over neighbouring frames, `report` says how a frame was
made, `session` is what a device keeps between frames, `plates` makes one clean plate of many images with the stages
before it, and `scratch` is where decode and encode put OpenImageIO's files.
"""
