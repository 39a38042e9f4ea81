"""The side-car: finds and starts the engine, talks gRPC, owns every final file. Importing this package is free."""
