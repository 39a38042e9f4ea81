"""What runs inside a host: the standard library and the host's own API, nothing else. Python 3.7 grammar."""
