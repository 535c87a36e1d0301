#!/bin/sh
# SPDX-License-Identifier: MIT
# pyfatfs 1.1.0: mkfs makes FATs ten times as long as a volume of 10 MB needs.
#
# Expected: a FAT12 of 2543 sectors of 4096 bytes needs 1.5 bytes a cluster, at most 3818 bytes: one
# sector.
# Happens: the boot sector says 10 sectors for each FAT; both are written, and 72 KiB are lost.
#
# Seen:
#     4096-byte sectors, 2543 of them: 10 sectors for each of 2 FATs, 1 suffices
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages pyfatfs==1.1.0 fs==2.4.16 setuptools==80.9.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

python3 -W ignore - <<'EOF'
from pathlib import Path

from pyfatfs.PyFat import PyFat

image = Path("image")
image.write_bytes(bytes(2543 * 4096))
PyFat().mkfs("image", fat_type=PyFat.FAT_TYPE_FAT12, sector_size=4096, size=2543 * 4096)
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
EOF
