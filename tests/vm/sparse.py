#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Regions that are nearly all hole: make NAME SIZE [--grow=SIZE] [--optional], or check NAME SIZE.

The last page is there, if it can be, and says what it is. --grow= is done after registering.
"""

import argparse
import os
import sys

import region
from counter import Refused

MARK = b"the last page"


def make(options):
    fd = os.memfd_create(options.name, os.MFD_CLOEXEC)
    os.ftruncate(fd, options.size)
    if options.size <= 1 << 40:
        os.pwrite(fd, MARK, options.size - 4096)
    region.register(options.name, fd, required=not options.optional)
    if options.grow:
        os.ftruncate(fd, options.grow)


def check(options):
    _, fd = region.claim(options.name)
    size = os.fstat(fd).st_size
    if size != options.size:
        sys.exit(f"{options.name} has {size} bytes, not {options.size}")
    for offset in range(0, size, 1 << 20):
        data = os.pread(fd, 1 << 20, offset)
        expected = bytes(len(data))
        if offset + len(data) == size:
            expected = expected[:-4096] + MARK + bytes(4096 - len(MARK))
        if data != expected:
            sys.exit(f"{options.name}: from byte {offset} on it is another")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["make", "check"])
    parser.add_argument("name")
    parser.add_argument("size", type=int)
    parser.add_argument("--grow", type=int)
    parser.add_argument("--optional", action="store_true")
    options = parser.parse_args()
    try:
        {"make": make, "check": check}[options.verb](options)
    except Refused as error:
        sys.exit(f"{options.name}: {error.name}: {error}")


if __name__ == "__main__":
    main()
