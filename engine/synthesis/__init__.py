"""Shots with known truth, made from seeds: foregrounds, cameras, light, and the faults of real clean plates."""
