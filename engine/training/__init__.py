"""Training: samples from synthesis, losses, and a trainer that can be interrupted."""
