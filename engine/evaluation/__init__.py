"""Measuring mattes: metrics of the literature, classical opponents, and pictures to look at."""
