"""The side-car: finds and starts the engine, talks gRPC, owns every final file. Importing this package is free.

    cli, link -> job -> request -> connection -> files

``connection`` is the way to an engine, ``files`` is what lies on disk.
``host_bridge.wire`` holds the protocol and its stubs, the only code that the engine shares.
"""

__version__ = "0.1.0"
