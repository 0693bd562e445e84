#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Has PID 1 keep a memfd of hugetlbfs, which no kernel hands over."""

import os
import signal
import socket

MFD_HUGETLB = 0x4

fd = os.memfd_create("huge", os.MFD_CLOEXEC | MFD_HUGETLB)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
    connection.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
    socket.send_fds(connection, [b"FDSTORE=1\nFDPOLL=0\nFDNAME=huge"], [fd])
    connection.send(b"READY=1")
signal.pause()
