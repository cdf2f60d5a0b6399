"""Linear classifiers on frozen vectors: fitting them, and measuring what they are worth."""
