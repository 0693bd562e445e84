#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody else with a live update session, in which a region of ours is held already.

    rival.py NAME SIZE [--optional]     registers the region, preserves it, holds it until it is killed
"""

import argparse
import fcntl
import os
import signal
import struct
import sys

import region

# include/uapi/linux/liveupdate.h
CREATE_SESSION = 0xBA00
PRESERVE_FD = 0xBA40


def create_session(name):
    device = os.open("/dev/liveupdate", os.O_RDWR)
    request = bytearray(struct.pack("=Ii64s", 72, -1, name.encode()))
    fcntl.ioctl(device, CREATE_SESSION, request)
    os.close(device)
    return struct.unpack_from("=Ii", request)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("size", type=int)
    parser.add_argument("--optional", action="store_true")
    options = parser.parse_args()
    fd = region.create(options.name, options.name, options.size)
    region.register(options.name, fd, required=not options.optional)
    session = create_session("rival")
    fcntl.ioctl(session, PRESERVE_FD, struct.pack("=IiQ", 16, fd, 7))
    print("held", flush=True)
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
