"""A version in the formats of other programs: one file a format, made block by block, the same bytes every time."""
