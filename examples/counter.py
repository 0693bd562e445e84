#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service whose memory survives a live update of the kernel, in Python alone.

It counts, ten times a second, and after the update goes on from where it was. It speaks varlink by
itself, as io.kho.Handover(7) describes it: JSON objects that end with a NUL byte, over an AF_UNIX
socket, with memory fds beside them as SCM_RIGHTS.
"""

import argparse
import array
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time

ADDRESS = os.environ.get("KHO_RUNTIME_DIR", "/run/kho") + "/io.kho.Handover"
INTERFACE = "io.kho.Handover."
MAGIC = b"counter1"
PAGE = struct.Struct("8sQ")  # magic, count
TICK = 0.1
MFD_EXEC = 0x10  # linux/memfd.h


class Refused(Exception):
    """khod said no; name is the error's, without the interface."""

    def __init__(self, name, parameters):
        super().__init__(parameters.get("message", name))
        self.name = name.removeprefix(INTERFACE)
        self.parameters = parameters


class Connection:
    """A varlink connection on which one call is made at a time."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.socket.connect(ADDRESS)
        except OSError:
            self.socket.close()
            raise
        self.data = b""
        self.fds = []

    def close(self):
        self.socket.close()
        for fd in self.fds:
            os.close(fd)

    def send(self, method, parameters, fds=(), more=False):
        message = {"method": INTERFACE + method, "parameters": parameters}
        if more:
            message["more"] = True
        data = json.dumps(message).encode() + b"\0"
        # The fds go with the first byte of the message that speaks of them.
        sent = socket.send_fds(self.socket, [data], list(fds))
        self.socket.sendall(data[sent:])

    def receive(self):
        """One reply, and the fds that came with it, which are the caller's to close."""
        while b"\0" not in self.data:
            data, ancillary, _, _ = self.socket.recvmsg(
                65536, socket.CMSG_SPACE(253 * 4), socket.MSG_CMSG_CLOEXEC
            )
            for level, kind, payload in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds = array.array("i")
                    fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
                    self.fds += fds
            if not data:
                raise ConnectionResetError("khod has closed the connection")
            self.data += data
        message, self.data = self.data.split(b"\0", 1)
        fds, self.fds = self.fds, []
        reply = json.loads(message)
        if "error" in reply:
            for fd in fds:
                os.close(fd)
            raise Refused(reply["error"], reply.get("parameters") or {})
        return reply.get("parameters") or {}, fds

    def call(self, method, parameters, fds=()):
        self.send(method, parameters, fds)
        return self.receive()


def call(method, parameters, fds=()):
    """One call on a connection of its own: khod's number of connections is limited."""
    connection = Connection()
    try:
        return connection.call(method, parameters, fds)
    finally:
        connection.close()


def claim(name):
    reply, fds = call("Claim", {"name": name})
    return fds[reply["memoryFileDescriptor"]]


def register(name, fd):
    call("Register", {"name": name, "memoryFileDescriptor": 0}, [fd])


def create(name):
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        # With F_SEAL_EXEC, which the kernel may set otherwise, it would come back read-only.
        fd = os.memfd_create(name, flags | MFD_EXEC)
    except OSError:  # before Linux 6.3
        fd = os.memfd_create(name, flags)
    os.fchmod(fd, 0o600)
    os.ftruncate(fd, PAGE.size)
    return fd


class Counter:
    def __init__(self, name, recreate_lost):
        self.name = name
        self.watch = None
        self.retry = None
        self.participant = None
        self.asked = None  # phase and update that were acknowledged
        self.frozen = False
        self.fd, how = self.begin(recreate_lost)
        self.page = mmap.mmap(self.fd, PAGE.size)
        magic, count = PAGE.unpack(self.page[: PAGE.size])
        if magic == MAGIC and how == "claimed":
            print(f"claimed, going on from {count}")
        elif magic.strip(b"\0"):
            sys.exit(f"region {name} is not a counter's: choose another --name=")
        else:
            print(how)
            self.write(0)

    def begin(self, recreate_lost):
        try:
            return claim(self.name), "claimed"
        except Refused as error:
            if error.name == "RegionLost" and recreate_lost:
                call("Unregister", {"name": self.name})
                how = "lost in the last update, starting over from 0"
            elif error.name == "NoSuchRegion":
                how = "created, counting from 0"
            elif error.name == "RegionLost":
                sys.exit(f"no memory to count in: {error}\n--recreate-lost starts over at 0")
            else:
                sys.exit(f"no memory to count in: {error}")
            fd = create(self.name)
            register(self.name, fd)
            return fd, how
        except OSError as error:
            print(
                f"khod is not running on this machine ({ADDRESS}: {error.strerror}):"
                " systemctl start khod.socket, or start khod\n"
                "Counting all the same, until this process ends.",
                file=sys.stderr,
            )
            self.retry = float("inf")
            return create(self.name), "counting from 0"

    def read(self):
        return PAGE.unpack(self.page[: PAGE.size])[1]

    def write(self, count):
        self.page[: PAGE.size] = PAGE.pack(MAGIC, count)

    def join(self):
        """Takes part in updates, from the start or after khod has been away."""
        try:
            self.watch = Connection()
            self.watch.send("Watch", {}, more=True)
            self.participant = self.watch.receive()[0]["participant"]
        except (OSError, Refused) as error:
            self.leave(error)
            return
        if self.retry is None:
            return
        self.retry = None
        print("khod is back")
        try:
            os.close(claim(self.name))
        except Refused as error:
            if error.name != "NoSuchRegion":
                print(f"region {self.name} is not kept any longer: {error}")
                return
            register(self.name, self.fd)
            print(f"region {self.name} is registered again")
        if self.asked:
            self.acknowledge(*self.asked)

    def leave(self, error):
        if self.watch:
            self.watch.close()
            self.watch = None
        if self.retry is None:
            print(f"khod is away: {error}")
        self.retry = time.monotonic() + 1

    def acknowledge(self, phase, update):
        self.asked = (phase, update)
        try:
            call(
                "Acknowledge",
                {
                    "participant": self.participant,
                    "update": update,
                    "phase": phase,
                    "accept": True,
                },
            )
        except Refused as error:
            # Either it still is this update, or nobody else is going to say that it is off.
            if (
                error.name != "UpdateInProgress"
                or error.parameters.get("update") != update
                or error.parameters.get("state") == "aborting"
            ):
                self.resume(str(error))
        except OSError as error:
            self.leave(error)

    def resume(self, reason):
        self.asked = None
        self.frozen = False
        print(f"no update ({reason}), going on from {self.read()}")

    def listen(self):
        try:
            event = self.watch.receive()[0]
        except (OSError, Refused) as error:
            self.leave(error)
            return
        if event["event"] == "prepare":
            print(f"update {event['update']} is being prepared")
            self.acknowledge("prepare", event["update"])
        elif event["event"] == "freeze":
            self.frozen = True  # not one write after the answer
            print(f"frozen at {self.read()}")
            self.acknowledge("freeze", event["update"])
        elif event["event"] == "resume":
            self.resume(event.get("reason") or "no reason given")

    def run(self):
        tick = time.monotonic() + TICK
        while True:
            wanted = [self.watch.socket] if self.watch else []
            # What has been received already does not make the socket readable.
            ready = self.watch and b"\0" in self.watch.data
            timeout = 0 if ready else max(0, tick - time.monotonic())
            if select.select(wanted, [], [], timeout)[0] or ready:
                self.listen()
            if self.watch is None and self.retry is not None and time.monotonic() >= self.retry:
                self.join()
            while time.monotonic() >= tick:
                tick += TICK
                if not self.frozen:
                    self.write(self.read() + 1)


def notify(state):
    """Tells the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as s:
        s.connect("\0" + address[1:] if address[0] == "@" else address)
        s.sendall(state.encode())


def stop(signum, frame):
    raise SystemExit


def main():
    parser = argparse.ArgumentParser(
        description="Counts in memory that survives a live update of the kernel."
    )
    parser.add_argument("--name", default="counter", help="the region")
    parser.add_argument(
        "--recreate-lost", action="store_true", help="start over if the region was lost"
    )
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    counter = Counter(options.name, options.recreate_lost)
    if counter.retry is None:
        counter.join()
    notify("READY=1")
    try:
        counter.run()
    finally:
        print(f"stopped at {counter.read()}")


if __name__ == "__main__":
    main()
