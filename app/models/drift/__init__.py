"""How words changed between two versions of a model."""
