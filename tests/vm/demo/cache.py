# SPDX-License-Identifier: GPL-2.0-or-later
"""What fill-cache and verify-cache share: the keys, their values, and how memcached is spoken to."""
import hashlib
import socket
import time

VALUE_SIZE = 640


def key(i):
    return b"key-%06d" % i


def value(i):
    """Of its own for each key, and to be had again in the next kernel without having been kept."""
    return hashlib.blake2b(key(i)).hexdigest().encode() * (VALUE_SIZE // 128)


def connect(patience=60):
    """memcached listens only when it has been through all that it finds in its memory."""
    end = time.monotonic() + patience
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", 11211), timeout=120)
            return connection.makefile("rwb")
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def statistics(stream):
    stream.write(b"stats\r\n")
    stream.flush()
    found = {}
    while (line := stream.readline().split()) and line[0] == b"STAT":
        found[line[1].decode()] = line[2].decode()
    return found
