"""The card of a version: everything that somebody should know before they use it, on one page."""
