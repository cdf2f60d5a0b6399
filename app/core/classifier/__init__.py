"""Classifiers of texts that stand on the vectors of a version: what they are made of, and how they read a text."""
