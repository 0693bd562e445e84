#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Another agent: holds a session of LUO with a memfd in it, until it is killed.
import fcntl, os, signal, struct, sys

CREATE, PRESERVE = 0xBA00, 0xBA40

device = os.open("/dev/liveupdate", os.O_RDWR | os.O_CLOEXEC)
request = bytearray(struct.pack("Ii64s", 72, -1, sys.argv[1].encode()))
fcntl.ioctl(device, CREATE, request)
os.close(device)
session = struct.unpack_from("Ii", request)[1]
memory = os.memfd_create("of-the-agent")
os.ftruncate(memory, 65536)
os.write(memory, b"agent")
fcntl.ioctl(session, PRESERVE, bytearray(struct.pack("IiQ", 16, memory, 1)))
print("holding", flush=True)
signal.pause()
