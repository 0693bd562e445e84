#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A service that knows nothing of khod: its memory is in its unit's fd store, which is PID 1's to keep."""
import os
import signal
import socket

TEXT = b"kept by process 1 alone"


def notify(state, fds=()):
    address = os.environ["NOTIFY_SOCKET"]
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.connect(address)
        socket.send_fds(peer, [state], list(fds))


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if int(os.environ.get("LISTEN_FDS", "0")) > 0:
        text = os.pread(3, 100, 0)
        print("found:", text.decode(errors="replace"), flush=True)
    else:
        fd = os.memfd_create("content")
        os.write(fd, TEXT)
        notify(b"FDSTORE=1\nFDNAME=content", [fd])
        print("begins anew", flush=True)
    notify(b"READY=1")
    signal.pause()


main()
