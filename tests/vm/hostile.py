#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that mean ill, or are only broken, and what khod must not let happen to the others.

    hostile.py PID ATTACK...    PID is khod's; without an ATTACK, all of them

Prints a line for each; exits with 1 if one of them did harm.
"""

import errno
import json
import os
import socket
import sys
import time

from counter import ADDRESS, Connection, Refused, call

KHOD = int(sys.argv[1])
MANAGER = ADDRESS.replace("Handover", "Manager")
USER = 20001


class Harm(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Harm(what)


def fds_of_khod():
    return len(os.listdir(f"/proc/{KHOD}/fd"))


def settles(limit, what, seconds=20):
    """Closing takes khod a moment."""
    for _ in range(seconds * 10):
        if fds_of_khod() <= limit:
            return
        time.sleep(0.1)
    raise Harm(f"{what}: khod has {fds_of_khod()} fds, and had {limit}")


def message(method, parameters=None, **more):
    return json.dumps({"method": method, "parameters": parameters or {}, **more}).encode() + b"\0"


def handover(method, parameters=None, **more):
    return message("io.kho.Handover." + method, parameters, **more)


def connect(address=ADDRESS):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(address)
    return s


def write_until_stuck(s, data):
    """All that khod takes without being read from."""
    s.settimeout(2)
    try:
        s.sendall(data)
        return True
    except (TimeoutError, BrokenPipeError, ConnectionResetError):
        return False


def fill(uid, count, prefix="of"):
    """Registers regions until one is refused; returns how many went and the error."""
    for number in range(count):
        fd = os.memfd_create("x")
        try:
            call("Register", {"name": f"{prefix}-{number}", "memoryFileDescriptor": 0}, [fd])
        except Refused as error:
            return number, error
        finally:
            os.close(fd)
    return count, None


def as_user(uid, function, *arguments):
    """Runs it as somebody else, and raises what it says."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        words = ""
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            function(*arguments)
        except BaseException as error:
            words = f"{type(error).__name__}: {error}" or "failed"
        os.write(writer, words.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as f:
        words = f.read()
    os.waitpid(pid, 0)
    require(not words, f"as uid {uid}: {words}")


def oneway_claims():
    """Nobody hears of a oneway claim, so khod has no use for the fd."""
    before = fds_of_khod()
    with connect() as s:
        s.sendall(handover("Claim", {"name": "bait"}, oneway=True) * 3000)
        s.sendall(handover("List"))
        s.recv(1)
        require(fds_of_khod() < before + 10, f"{fds_of_khod()} fds after 3,000, {before} before")
    settles(before, "afterwards")


def unread_claims():
    """Each answer that nobody reads has an fd with it."""
    before = fds_of_khod()
    s = connect()
    write_until_stuck(s, handover("Claim", {"name": "bait"}) * 20000)
    most = fds_of_khod()
    s.close()
    require(most < before + 600, f"{most} fds, {before} before")
    settles(before, "afterwards")


def unread_lists():
    """The same without fds: what piles up is memory."""
    before = resident()
    s = connect()
    write_until_stuck(s, handover("GetInterfaceDescription") * 100 + handover("List") * 200000)
    after = resident()
    s.close()
    require(after < before + (64 << 10), f"khod has {after} KiB, and had {before}")


def resident():
    with open(f"/proc/{KHOD}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def operations():
    """A thousand of each kind, those that are refused too."""
    memory = os.memfd_create("memory")
    os.ftruncate(memory, 4096)
    other = os.memfd_create("other")
    pipe = os.pipe()[0]
    calls = [
        ("Register", {"name": "ops", "memoryFileDescriptor": 0}, [memory]),
        ("Register", {"name": "ops", "memoryFileDescriptor": 0}, [other]),
        ("Register", {"name": "ops2", "memoryFileDescriptor": 0}, [memory, other]),
        ("Register", {"name": "ops2", "memoryFileDescriptor": 0}, [pipe, other]),
        ("Register", {"name": "ops2", "memoryFileDescriptor": 7}, [other]),
        ("Register", {"name": 7}, [other]),
        ("Register", {"name": "ops2", "memoryFileDescriptor": 0, "memdesc": "slab"}, [other]),
        ("Claim", {"name": "ops"}, []),
        ("Claim", {"name": "nothing"}, [other]),
        ("Release", {"name": "ops"}, [other]),
        ("Release", {"name": "nothing"}, []),
        ("List", {}, [other] * 253),
        ("Acknowledge", {"participant": 7, "update": "x", "phase": "freeze", "accept": True}, [other]),
        ("Watch", {}, [other]),
        ("Nonsense", {}, [other]),
        ("Unregister", {"name": "ops"}, [other]),
        ("Unregister", {"name": "ops"}, []),
    ]
    call("List", {})
    before = fds_of_khod()
    link = Connection()
    for _ in range(1000):
        for method, parameters, fds in calls:
            link.send(method, parameters, fds)
            try:
                link.receive()
            except Refused:
                pass
            while link.fds:
                os.close(link.fds.pop())
    link.close()
    settles(before, "after 1,000 of each")
    for _ in range(1000):
        with connect() as s:
            s.sendall(handover("Watch", more=True))
            s.recv(1)
    settles(before, "after 1,000 watchers")


def operators():
    """The operator's methods, in an order that makes no sense, some of them twice."""
    calls = [
        ("Staged", {"update": "x"}),
        ("Freeze", {"update": "x", "timeoutUSec": 0}),
        ("Commit", {"update": "x"}),
        ("Abort", {}),
        ("Abort", {"update": "x"}),
        ("Tree", {}),
        ("Wait", {"timeoutUSec": 0}),
        ("Wait", {"timeoutUSec": -1}),
        ("Wait", {"timeoutUSec": None}),
        ("Wait", {"timeoutUSec": 2**64 - 1}),
        ("Wait", {"timeoutUSec": 2**64 - 2}),
        ("Prepare", {"image": "\x1b[2J"}),
        ("Prepare", {}),
        ("Report", {}),
        ("Status", {}),
        ("List", {"unclaimed": None}),
    ]
    before = None
    for _ in range(1001):
        with connect(MANAGER) as s:
            for method, parameters in calls:
                s.sendall(message("io.kho.Manager." + method, parameters))
                answer = b""
                while not answer.endswith(b"\0"):
                    data, fds, _, _ = socket.recv_fds(s, 65536, 4)
                    require(data, f"{method} {parameters}: khod closes the connection")
                    answer += data
                    for fd in fds:
                        os.close(fd)
                answer = json.loads(answer[:-1])
                if parameters.get("timeoutUSec", 0) is None or parameters.get("timeoutUSec", 0) > 0:
                    require("error" not in answer, f"{method} {parameters}: {answer}")
        # The first round has made the loop's timers.
        if before is None:
            before = fds_of_khod()
    settles(before, "after 1,000 of each")


def answers(what):
    """Somebody who means well is still served, and the operator too."""
    start = time.monotonic()
    call("List", {})
    with connect(MANAGER) as s:
        s.sendall(message("io.kho.Manager.Status"))
        require(b'"state"' in s.recv(65536), f"{what}: no status")
    took = time.monotonic() - start
    require(took < 5, f"{what}: an answer takes {took:.1f} s")


def crowd():
    """500 that connect and say nothing, some that begin to say something."""
    before = fds_of_khod()
    silent = [connect() for _ in range(500)]
    for s in silent[::10]:
        s.sendall(b'{"method":')
    answers("beside 500 connections")
    for s in silent:
        s.close()
    settles(before, "after the crowd")


def crowd_of_user():
    """One user does not get all connections, nor can it pin fds without end by them."""

    def attack():
        fd = os.memfd_create("x")
        held = []
        for _ in range(500):
            s = connect()
            held.append(s)
            try:
                socket.send_fds(s, [b"{"], [fd] * 253)
            except OSError:
                pass
        time.sleep(1)
        open_ones = 0
        for s in held:
            s.setblocking(False)
            try:
                open_ones += s.recv(1) != b""
            except BlockingIOError:
                open_ones += 1
            except ConnectionResetError:
                pass
        require(open_ones <= 64, f"one user has {open_ones} connections")

    before = fds_of_khod()
    as_user(USER, attack)
    settles(before, "after the user's crowd")


def regions_of_user():
    """One user does not get all regions, nor all memory, whatever its units are called."""

    def attack():
        number, error = fill(USER, 5000)
        require(number <= 256, f"one user has {number} regions")
        require(error.name == "LimitReached", f"{error.name}: {error}")

    def grab():
        fd = os.memfd_create("x")
        os.ftruncate(fd, 1 << 39)
        try:
            call("Register", {"name": "large", "memoryFileDescriptor": 0}, [fd])
        except Refused as error:
            require(error.name == "LimitReached", f"{error.name}: {error}")
        else:
            raise Harm("one user keeps 512 GiB")

    def tidy():
        for region in call("List", {})[0]["regions"]:
            if region["name"].startswith(("of-", "root-")):
                call("Unregister", {"name": region["name"]})

    try:
        as_user(USER, attack)
        as_user(USER + 1, grab)
        number, error = fill(0, 10, "root")
        require(error is None, f"root: {error}")
        tidy()
    finally:
        as_user(USER, tidy)


def no_fds():
    """While khod has no fds left for them connections are refused, and not for good."""
    import resource

    limits = resource.prlimit(KHOD, resource.RLIMIT_NOFILE)
    resource.prlimit(KHOD, resource.RLIMIT_NOFILE, (fds_of_khod() + 20, limits[1]))
    held = []
    for _ in range(60):
        try:
            held.append(connect())
        except OSError:
            break
    time.sleep(1)
    resource.prlimit(KHOD, resource.RLIMIT_NOFILE, limits)
    for s in held:
        s.close()
    answers("after khod had no fds")


def large():
    """Messages up to, and over, the largest that there can be."""
    for size in (1 << 20, 6 << 20, 9 << 20, (16 << 20) - 200, 17 << 20):
        with connect() as s:
            write_until_stuck(s, handover("Claim", {"name": "x" * size}))
            try:
                s.recv(1)
            except (TimeoutError, ConnectionResetError):
                pass
    with connect() as s:
        write_until_stuck(s, b"[0" + b",0" * (4 << 20) + b"]\0")
    answers("after 16 MiB")


def words():
    """What a peer says goes to no log and no terminal as it is."""
    for name in ("\x1b[31m", "\u0085", "a\0b", "\ud800"):
        fd = os.memfd_create("x")
        try:
            call("Register", {"name": name, "memoryFileDescriptor": 0}, [fd])
            raise Harm(f"{name!r} is a name")
        except (Refused, BrokenPipeError, ConnectionResetError, UnicodeEncodeError):
            # It may also hang up on what is no text, before all of it has been sent.
            pass


def strangers():
    """An unprivileged user gets nothing of the operator's, and nothing of another's."""

    def attack():
        try:
            connect(MANAGER)
            raise Harm("the operator's socket is open to all")
        except PermissionError:
            pass
        require(call("List", {})[0]["regions"] == [], "it sees regions")
        for method in ("Claim", "Release", "Unregister"):
            try:
                call(method, {"name": "bait"})
                raise Harm(f"{method} of another's region")
            except Refused as error:
                require(error.name == "NoSuchRegion", f"{method}: {error.name}")
        for participant in range(1, 50):
            acknowledge = {"update": "x", "phase": "prepare", "accept": False}
            try:
                call("Acknowledge", {"participant": participant, **acknowledge})
                raise Harm("it acknowledges for another")
            except Refused as error:
                require(error.name == "NoSuchParticipant", error.name)

    with connect() as s:
        s.sendall(handover("Watch", more=True))
        s.recv(1)
        as_user(USER, attack)


ATTACKS = [
    strangers,
    words,
    oneway_claims,
    unread_claims,
    unread_lists,
    crowd,
    crowd_of_user,
    regions_of_user,
    no_fds,
    large,
    operators,
    operations,
]


def main():
    chosen = [attack for attack in ATTACKS if not sys.argv[2:] or attack.__name__ in sys.argv[2:]]
    bait = os.memfd_create("bait")
    os.ftruncate(bait, 4096)
    call("Register", {"name": "bait", "memoryFileDescriptor": 0}, [bait])
    # khod's loop has one fd for all its timers, from the first on.
    os.close(call("Claim", {"name": "bait"})[1][0])
    failed = False
    for attack in chosen:
        start = time.monotonic()
        try:
            attack()
            verdict = "no harm done"
        except (Harm, OSError, Refused, TimeoutError) as error:
            verdict = f"HARM: {type(error).__name__}: {error}"
            failed = True
        print(f"{attack.__name__:<18} {verdict} ({time.monotonic() - start:.1f} s)", flush=True)
    call("Unregister", {"name": "bait"})
    sys.exit(failed)


if __name__ == "__main__":
    main()
