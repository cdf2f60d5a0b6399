"""A number that changes with the kernels' source.

Numba's on-disk cache watches only the file of the function it compiled, not the files of what was inlined into it.
A factory that closes over `REVISION` puts it into the cache key, so an edited callee is never served stale.
"""

from pathlib import Path
from zlib import crc32

REVISION = crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))))
