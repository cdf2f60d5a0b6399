"""The parts of the corpus encoder; `trainer.corpus.encode` puts them together."""
