"""The wire: protocol definitions and their generated stubs, the only code that both processes share."""
