"""The gRPC service: translate, compute, translate. The only room of the engine that knows the wire."""
