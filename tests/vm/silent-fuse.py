#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A FUSE file system with one file, f, which answers until somebody flushes it: silent-fuse.py DIRECTORY

A close(2) of that file waits until this program ends. It speaks the kernel's protocol by itself, from
include/uapi/linux/fuse.h.
"""

import ctypes
import errno
import os
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, RELEASE, FLUSH, INIT, BATCH_FORGET = 1, 2, 3, 14, 18, 25, 26, 42


def mount(fd, directory):
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"silent", directory.encode(), b"fuse", 0, options.encode()) < 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")


def attributes(node):
    mode = 0o40755 if node == 1 else 0o100666
    times = (0,) * 3 + (0,) * 3
    return struct.pack("<QQQQQQIIIIIIIIII", node, 4096, 8, *times, mode, 1, 0, 0, 0, 4096, 0)


def answer(operation, node):
    if operation == INIT:
        return struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *(0,) * 7)
    if operation == LOOKUP:
        return struct.pack("<QQQQII", 2, 1, 0, 0, 0, 0) + attributes(2)
    if operation == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if operation == OPEN:
        return struct.pack("<QIi", 1, 0, 0)
    return None


def main():
    fd = os.open("/dev/fuse", os.O_RDWR)
    mount(fd, sys.argv[1])
    print("mounted", flush=True)
    while True:
        data = os.read(fd, 1 << 17)
        _, operation, unique, node = struct.unpack_from("<IIQQ", data)
        if operation in (FLUSH, RELEASE):
            print("flush" if operation == FLUSH else "release", flush=True)
        if operation in (FORGET, BATCH_FORGET, FLUSH, RELEASE):
            continue
        payload = answer(operation, node)
        error = 0 if payload is not None else -errno.ENOSYS
        payload = payload or b""
        os.write(fd, struct.pack("<IiQ", 16 + len(payload), error, unique) + payload)


if __name__ == "__main__":
    main()
