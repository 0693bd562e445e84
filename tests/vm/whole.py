#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether regions that region.py made are all there, byte for byte, each for its owner.

    whole.py [--released] NAME:SIZE:UID...

With --released also whether the kernel has let go of them: each grows by a page and shrinks again.
With --make it makes them.
"""

import argparse
import itertools
import os
import sys

import region


def make(name, size):
    region.register(name, region.create(name, name, size))


def is_wrong(name, size, released):
    _, fd = region.claim(name)
    wrong = region.compare(fd, name, size)
    if not wrong and released:
        try:
            os.ftruncate(fd, size + region.PAGE)
            os.ftruncate(fd, size)
        except PermissionError:
            wrong = "the kernel has not let go of it"
    os.close(fd)
    if wrong:
        print(f"{name}: {wrong}", flush=True)
    return bool(wrong)


def as_user(uid, regions, options):
    """In a process of its own; whether anything is wrong."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    status = 1
    try:
        os.setuid(uid)
        if options.make:
            for name, size in regions:
                make(name, size)
            status = 0
        else:
            status = int(any([is_wrong(name, size, options.released) for name, size in regions]))
    finally:
        os._exit(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--released", action="store_true")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("regions", nargs="+")
    options = parser.parse_args()
    regions = [words.split(":") for words in options.regions]
    for uid, group in itertools.groupby(regions, key=lambda words: int(words[2])):
        if as_user(uid, [(name, int(size)) for name, size, _ in group], options):
            sys.exit(f"not all that user {uid} has is as it was")


if __name__ == "__main__":
    main()
