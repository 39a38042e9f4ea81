"""Wire to values (`requests`, `knobs`) and back (`replies`). Only these and the servicer read the wire's messages."""
