"""Conditions of requests."""

from __future__ import annotations


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the client has what the `ETag` names."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates
