"""Unicode's compatibility forms, but for those that Korean text means."""

from __future__ import annotations

import re
import unicodedata

_JAMO = r"\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\ud7b0-\ud7ff"
_NOT_JAMO = re.compile(f"[^{_JAMO}\x00-\x7f]+")
# Half-width jamo fold one step, to the ordinary compatibility jamo; NFKC would go on to the conjoining ones.
_HALF_WIDTH_JAMO = {
    point: int(unicodedata.decomposition(chr(point)).split()[1], 16)
    for point in range(0xFFA1, 0xFFDD)
    if unicodedata.decomposition(chr(point))
}
# Spacing accents, whose compatibility form is a space and a mark: that mark would begin the next word.
_SPACING = "".join(
    chr(point)
    for first, last in ((0xA8, 0xB8), (0x2D8, 0x385), (0x1FBD, 0x203E), (0x309B, 0x309C), (0xFC5E, 0xFFE3))
    for point in range(first, last + 1)
    if unicodedata.normalize("NFKC", chr(point))[0] == " " and len(unicodedata.normalize("NFKC", chr(point))) > 1
)
_NOT_JAMO_NOR_SPACING = re.compile(f"[^{_JAMO}{re.escape(_SPACING)}\x00-\x7f]+")


def without_compatibility(text: str, rules: int) -> str:
    """NFKC of all but jamo and spacing accents; the first rules had none for accents."""
    folding = _NOT_JAMO if rules == 1 else _NOT_JAMO_NOR_SPACING
    return folding.sub(_folded, text.translate(_HALF_WIDTH_JAMO))


def _folded(run: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", run.group())
