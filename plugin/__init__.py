"""What runs inside a host: the standard library and the host's own API, nothing else. Python 3.7 grammar.

Inside a host the package is called ``platekey``.
"""

__version__ = "0.1.0"
