"""The networks, chosen by name from one table."""
