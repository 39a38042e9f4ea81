"""The adversarial stage: a student learns from shots without truth, between a teacher and a discriminator."""

from engine.training.adversarial.refinement import AdversarialRecipe

__all__ = ["AdversarialRecipe"]
