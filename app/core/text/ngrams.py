"""The n-grams of a word as fastText hashes them (Bojanowski et al. 2017)."""

from __future__ import annotations

BASIS, PRIME, MASK = 2166136261, 16777619, 0xFFFFFFFF


def ngram_hashes(word: str, min_n: int, max_n: int) -> list[int]:
    """Hashes, FNV-1a of 32 bits over bytes that are taken as signed, of the n-grams of ``<word>``.

    N-grams are of characters; single marks ``<`` and ``>`` are none. One that comes twice is listed twice.
    """
    characters = [[byte | 0xFFFFFF00 if byte > 127 else byte for byte in c.encode()] for c in f"<{word}>"]
    n_characters = len(characters)
    found = []
    for start in range(n_characters):
        code = BASIS
        for end in range(start + 1, min(start + max_n, n_characters) + 1):
            for byte in characters[end - 1]:
                code = ((code ^ byte) * PRIME) & MASK
            if end - start >= min_n and not (end - start == 1 and (start == 0 or end == n_characters)):
                found.append(code)
    return found
