"""zlib-ng 1.1.0, the package: the same level gives other bytes than zlib.

Expected: a library that stands in for another gives the same output for the same input and level.
Happens: it unpacks to the same, and is packed otherwise. An archive that is to be the same
everywhere needs one compressor that is pinned, since some systems have zlib-ng as their zlib.

Seen with Python 3.11 and zlib 1.2.13:
    levels at which the bytes differ: 1 2 3 4 5 6 7 8 9
"""

import os
import subprocess
import sys
import tempfile

PINS = ["zlib-ng==1.1.0"]
SHOW = """
import zlib
from zlib_ng import zlib_ng
assert "zlib-ng" not in zlib.ZLIB_RUNTIME_VERSION, "this Python's zlib is zlib-ng already"
text = b"".join(b"line %d of %d\\n" % (n * n % 97, n) for n in range(4000))
differing = []
for level in range(1, 10):
    packed = zlib_ng.compress(text, level)
    assert zlib.decompress(packed) == text
    if packed != zlib.compress(text, level):
        differing.append(level)
print(*differing)
"""

with tempfile.TemporaryDirectory() as folder:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", folder]
    subprocess.run([*pip, *PINS], check=True, stderr=subprocess.DEVNULL)
    said = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, "PYTHONPATH": folder},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()

print("levels at which the bytes differ:", said)
assert "6" in said.split()
