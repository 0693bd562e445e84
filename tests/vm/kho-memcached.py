#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills memcached and checks that it has kept everything: ping, fill N, check N."""
import hashlib
import socket
import sys

BATCH = 1000


def value(i):
    return hashlib.sha256(b"%d" % i).hexdigest().encode() * 4


def fill(stream, count):
    for i in range(count):
        stream.write(b"set key%d 0 0 256 noreply\r\n%s\r\n" % (i, value(i)))
    stream.write(b"mn\r\n")
    stream.flush()
    return stream.readline() == b"MN\r\n"


def check(stream, count):
    kept = 0
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        for i in numbers:
            stream.write(b"get key%d\r\n" % i)
        stream.flush()
        for i in numbers:
            if stream.readline() == b"END\r\n":
                continue
            kept += stream.readline() == value(i) + b"\r\n"
            stream.readline()
    print("%d of %d keys are here and what they were" % (kept, count))
    return kept == count


def main():
    verb, count = sys.argv[1], int((sys.argv + ["0"])[2])
    with socket.create_connection(("127.0.0.1", 11211), timeout=60) as connection:
        stream = connection.makefile("rwb")
        if verb == "ping":
            stream.write(b"version\r\n")
            stream.flush()
            return stream.readline().startswith(b"VERSION")
        return {"fill": fill, "check": check}[verb](stream, count)


sys.exit(0 if main() else 1)
