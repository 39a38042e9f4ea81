"""The 2020 network from cut-out subjects over any backgrounds: the layout of Composition-1k, the published recipe."""

from engine.training.composition.learning import CompositionRecipe

__all__ = ["CompositionRecipe"]
