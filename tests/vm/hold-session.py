#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Another agent: holds a session of LUO with a memfd in it, until it is killed; in the next kernel,
# --retrieve writes what is in the memfd.
import fcntl, os, signal, struct, sys

CREATE, RETRIEVE = 0xBA00, 0xBA01
PRESERVE, TAKE = 0xBA40, 0xBA41


def session_of(request, name):
    device = os.open("/dev/liveupdate", os.O_RDWR | os.O_CLOEXEC)
    argument = bytearray(struct.pack("Ii64s", 72, -1, name.encode()))
    fcntl.ioctl(device, request, argument)
    os.close(device)
    return struct.unpack_from("Ii", argument)[1]


def hold(name):
    session = session_of(CREATE, name)
    memory = os.memfd_create("of-the-agent")
    os.ftruncate(memory, 65536)
    os.write(memory, b"agent")
    fcntl.ioctl(session, PRESERVE, bytearray(struct.pack("IiQ", 16, memory, 1)))
    print("holding", flush=True)
    signal.pause()


def retrieve(name):
    argument = bytearray(struct.pack("IiQ", 16, -1, 1))
    fcntl.ioctl(session_of(RETRIEVE, name), TAKE, argument)
    print(os.pread(struct.unpack_from("Ii", argument)[1], 5, 0).decode())


if sys.argv[1] == "--retrieve":
    retrieve(sys.argv[2])
else:
    hold(sys.argv[1])
