#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A counter whose memory the service manager keeps, across restarts and live updates: nothing of
kho-tools is asked. See kho-services(7) and FileDescriptorStorePreserve= in systemd.service(5)."""

import os
import socket
import struct
import time

NAME = "counter"
SIZE = 4096
MFD_EXEC = 0x10  # linux/memfd.h


def kept():
    """The memory that PID 1 has for us, or None: sd_listen_fds(3)."""
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return 3 + names.index(NAME) if NAME in names else None


def notify(state, fds=()):
    """sd_notify(3), with fds for the store."""
    address = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect(address)
        socket.send_fds(connection, [state.encode()], list(fds))


def main():
    fd = kept()
    if fd is None:
        # MFD_EXEC: with F_SEAL_EXEC it would come back read-only, see kho_register(3).
        fd = os.memfd_create(NAME, os.MFD_CLOEXEC | MFD_EXEC)
        os.ftruncate(fd, SIZE)
        notify(f"FDSTORE=1\nFDPOLL=0\nFDNAME={NAME}", [fd])
        print("counting from 0", flush=True)
    else:
        print("going on from", struct.unpack("<Q", os.pread(fd, 8, 0))[0], flush=True)
    notify("READY=1")
    while True:
        count = struct.unpack("<Q", os.pread(fd, 8, 0))[0]
        os.pwrite(fd, struct.pack("<Q", count + 1), 0)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
