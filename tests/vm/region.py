#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Regions whose every byte is known, for tests: makes them, and compares them afterwards.

    region.py make NAME SIZE [OPTION...]    registers a new region
    region.py check NAME SIZE [OPTION...]   claims it and compares it byte for byte
    region.py drop NAME                     unregisters it

Each page has its own content, which --seed= changes as a whole. Import it for more.
"""

import argparse
import fcntl
import os
import random
import struct
import sys

from counter import Refused, call

PAGE = 4096
CHUNK = 256  # pages
SEALS = {
    "seal": fcntl.F_SEAL_SEAL,
    "shrink": fcntl.F_SEAL_SHRINK,
    "grow": fcntl.F_SEAL_GROW,
    "write": fcntl.F_SEAL_WRITE,
}


def content(seed, size):
    """Pieces of the content, in order."""
    noise = random.Random(seed).randbytes(2 * PAGE)
    for first in range(0, (size + PAGE - 1) // PAGE, CHUNK):
        pages = range(first, first + CHUNK)
        piece = b"".join(
            struct.pack("<Q", page) + noise[page % PAGE : page % PAGE + PAGE - 8] for page in pages
        )
        yield piece[: size - first * PAGE]


def write_all(fd, data, offset):
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def fill(fd, seed, size):
    os.ftruncate(fd, size)
    offset = 0
    for piece in content(seed, size):
        write_all(fd, piece, offset)
        offset += len(piece)


def create(name, seed, size):
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fill(fd, seed, size)
    return fd


def compare(fd, seed, size):
    """None, or what is wrong."""
    if os.fstat(fd).st_size != size:
        return f"it has {os.fstat(fd).st_size} bytes, not {size}"
    offset = 0
    for piece in content(seed, size):
        data = os.pread(fd, len(piece), offset)
        if data != piece:
            wrong = next((i for i, (a, b) in enumerate(zip(data, piece)) if a != b), len(data))
            return f"byte {offset + wrong} is another"
        offset += len(piece)
    return None


def register(name, fd, **parameters):
    return call("Register", {"name": name, "memoryFileDescriptor": 0, **parameters}, [fd])[0]


def claim(name):
    reply, fds = call("Claim", {"name": name})
    return reply["region"], fds[reply["memoryFileDescriptor"]]


def names_of_seals(fd):
    seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    return "+".join(name for name, bit in SEALS.items() if seals & bit) or "none"


def add_seals(fd, names):
    bits = 0
    for name in names.split("+"):
        bits |= SEALS[name]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, bits)


def make(options):
    fd = create(options.name, options.seed, options.size)
    if options.mode:
        os.fchmod(fd, options.mode)
    os.lseek(fd, options.position, os.SEEK_SET)
    if options.seals:
        add_seals(fd, options.seals)
    register(options.name, fd, required=not options.optional)


def check(options):
    region, fd = claim(options.name)
    wrong = compare(fd, options.seed, options.size)
    if wrong:
        sys.exit(f"{options.name}: {wrong}")
    print(
        f"{options.name}: {options.size} bytes are the same; {region['check']},"
        f" seals {names_of_seals(fd)}, position {os.lseek(fd, 0, os.SEEK_CUR)},"
        f" mode {os.fstat(fd).st_mode & 0o7777:04o}"
    )


def drop(options):
    call("Unregister", {"name": options.name})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["make", "check", "drop"])
    parser.add_argument("name")
    parser.add_argument("size", type=int, nargs="?", default=0, help="bytes")
    parser.add_argument("--seed", default="")
    parser.add_argument("--uid", type=int, help="whose region it is")
    parser.add_argument("--optional", action="store_true")
    parser.add_argument("--position", type=int, default=0)
    parser.add_argument("--mode", type=lambda text: int(text, 8))
    parser.add_argument("--seals", help="as write+grow+shrink")
    options = parser.parse_args()
    options.seed = options.seed or options.name
    if options.uid is not None:
        os.setuid(options.uid)
    try:
        {"make": make, "check": check, "drop": drop}[options.verb](options)
    except Refused as error:
        sys.exit(f"{options.name}: {error.name}: {error}")


if __name__ == "__main__":
    main()
