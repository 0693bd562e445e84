#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether regions that region.py made are all there, byte for byte, each for its owner.

    whole.py [--released] NAME:SIZE:UID...

With --released also whether the kernel has let go of them: each grows by a page and shrinks again.
"""

import argparse
import os
import sys

import region


def is_wrong(name, size, uid, released):
    os.setuid(uid)
    _, fd = region.claim(name)
    wrong = region.compare(fd, name, size)
    if not wrong and released:
        try:
            os.ftruncate(fd, size + region.PAGE)
            os.ftruncate(fd, size)
        except PermissionError:
            wrong = "the kernel has not let go of it"
    if wrong:
        print(f"{name}: {wrong}", flush=True)
    return bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--released", action="store_true")
    parser.add_argument("regions", nargs="+")
    options = parser.parse_args()
    for words in options.regions:
        name, size, uid = words.split(":")
        child = os.fork()
        if child == 0:
            os._exit(is_wrong(name, int(size), int(uid), options.released))
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(f"{name} is not whole")


if __name__ == "__main__":
    main()
