"""Wire version 1: generated stubs beside the definitions they come from."""
