"""A model adapted to one clip: learned on its frames, measured on others of them, kept only where that helps."""
