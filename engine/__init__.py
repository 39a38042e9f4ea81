"""PlateKey's engine: one process that owns the device, behind gRPC.

    decode -> colour -> registration -> photometric -> matte -> solve -> layers -> encode

``engine.service`` translates the wire into values and back, ``engine.pipeline`` holds one stage a file,
``engine.network`` the models. ``engine.synthesis`` makes shots with known truth, ``engine.training`` learns from them
and ``engine.evaluation`` measures. Importing this package loads nothing heavy.
"""

__version__ = "0.1.0"
