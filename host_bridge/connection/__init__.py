"""The connection to an engine: finding or starting one, calling it, and what crosses the wire while it works."""
