"""pyfatfs 1.1.0: mkfs makes FATs ten times as long as a volume of 10 MB needs.

Expected: a FAT12 of 2543 sectors of 4096 bytes needs 1.5 bytes a cluster, at most 3818 bytes: one
sector.
Happens: the boot sector says 10 sectors for each FAT; both are written, and 72 KiB are lost.

Seen with Python 3.11:
    4096-byte sectors, 2543 of them: 10 sectors for each of 2 FATs, 1 suffices
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = ["pyfatfs==1.1.0", "setuptools==80.9.0"]
MAKE = """
import sys
from pyfatfs.PyFat import PyFat
PyFat().mkfs(sys.argv[1], fat_type=PyFat.FAT_TYPE_FAT12, sector_size=4096, size=2543 * 4096)
"""

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "packages")]
    subprocess.run([*pip, *PINS], check=True, stderr=subprocess.DEVNULL)
    image = folder / "image"
    image.write_bytes(bytes(2543 * 4096))
    environment = {**os.environ, "PYTHONPATH": str(folder / "packages"), "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-c", MAKE, str(image)], check=True, env=environment)
    boot = image.read_bytes()[:512]

sector_size = int.from_bytes(boot[11:13], "little")
sectors = int.from_bytes(boot[19:21], "little")
fats = boot[16]
fat_size = int.from_bytes(boot[22:24], "little")
enough = -(-(sectors + 2) * 3 // 2 // sector_size)  # had each sector a cluster of its own
print(
    f"{sector_size}-byte sectors, {sectors} of them: {fat_size} sectors for each of {fats} FATs, "
    f"{enough} suffices"
)
assert (sector_size, enough) == (4096, 1)
assert fat_size == 10
