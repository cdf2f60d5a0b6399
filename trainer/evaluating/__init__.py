"""A table and sets of questions -> scores, with what they are made from."""
