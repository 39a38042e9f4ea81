"""Putting the nodes where their hosts look, and taking exactly that away again.

What was written is remembered in a receipt with the hash of every file; nothing else is ever replaced or removed.
"""
