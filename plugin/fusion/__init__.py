"""Fusion and Resolve: the Fuse, which is Lua, and the way through a comp script, for editions that run Python."""
