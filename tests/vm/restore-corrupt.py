#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""restore-corrupt.py WHAT...: damages what khod holds. WHAT is tree (both slots), newer (the newer slot alone)
or the size in bytes of the region that is to change."""

import os
import struct
import sys

SLOTS_SIZE = 16 << 20


def khod_files():
    """Every file that khod has open, by its size."""
    with open("/run/kho/khod.lock", "rb") as lock:
        inode = os.fstat(lock.fileno()).st_ino
    for line in open("/proc/locks"):
        words = line.split()
        if words[5].endswith(f":{inode}"):
            directory = f"/proc/{words[4]}/fd"
            break
    else:
        sys.exit("no khod has locked /run/kho/khod.lock")
    for fd in os.listdir(directory):
        path = f"{directory}/{fd}"
        if "memfd:" in os.readlink(path):
            yield os.stat(path).st_size, path


def damage(path, offset):
    with open(path, "r+b", buffering=0) as memory:
        memory.seek(offset)
        old = memory.read(1)
        memory.seek(offset)
        memory.write(bytes([old[0] ^ 0x55]))


def generation(path, slot):
    with open(path, "rb") as memory:
        memory.seek(slot + 8)
        return struct.unpack(">Q", memory.read(8))[0]


files = dict(khod_files())
for what in sys.argv[1:]:
    if what in ("tree", "newer"):
        slots = sorted((0, SLOTS_SIZE // 2), key=lambda slot: generation(files[SLOTS_SIZE], slot))
        for slot in slots if what == "tree" else slots[1:]:
            damage(files[SLOTS_SIZE], slot + 64 + 200)
    else:
        damage(files[int(what)], int(what) // 2)
