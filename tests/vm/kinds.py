#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends khod what is no memory that it can keep, and prints each answer: one line a case.

Exits with 1 if something was taken, or refused in another way than it is to be.
"""

import json
import os
import socket
import sys

from counter import Connection, Refused, call

FAILED = []
KEPT = os.memfd_create("kept", os.MFD_ALLOW_SEALING)


def report(what, answer, expected):
    ok = all(word in answer for word in expected)
    print(f"{what:<34} {answer}" + ("" if ok else f"   FAILED: not {expected}"))
    if not ok:
        FAILED.append(what)


def refused(what, parameters, fds, *expected):
    try:
        reply, _ = call("Register", parameters, fds)
        answer = f"TAKEN: {reply}"
    except Refused as error:
        rest = {k: v for k, v in error.parameters.items() if k != "message"}
        answer = f"{error.name} {json.dumps(rest)} {error.parameters.get('message', '')}"
    except (OSError, ConnectionError) as error:
        answer = f"DISCONNECTED: {error}"
    report(what, answer, expected)


def memory(what, fd, *expected, **parameters):
    refused(what, {"name": "x", "memoryFileDescriptor": 0, **parameters}, [fd], *expected)


def kinds():
    unsupported = "UnsupportedMemory"
    linked = os.open("/dev/shm/linked", os.O_RDWR | os.O_CREAT)
    regular = os.open("/root/regular", os.O_RDWR | os.O_CREAT)
    read_only = os.open(f"/proc/self/fd/{KEPT}", os.O_RDONLY)
    path = os.open(f"/proc/self/fd/{KEPT}", os.O_PATH)
    memory("pipe", os.pipe()[0], unsupported, '"pipe"', "read it empty")
    memory("regular file", regular, unsupported, '"regular-file"', "outlives a reboot")
    memory("read-only memfd", read_only, unsupported, '"read-only"', "which can write")
    memory("O_PATH memfd", path, unsupported, '"path"')
    memory("directory", os.open("/root", os.O_RDONLY), unsupported, '"directory"', "no memory")
    memory("socket", socket.socketpair()[0].fileno(), unsupported, '"socket"', "connect anew")
    memory("device", os.open("/dev/zero", os.O_RDWR), unsupported, '"device"')
    memory("eventfd", os.eventfd(0), unsupported, '"anon-inode"', "create it anew")
    memory("tmpfs file with a name", linked, unsupported, '"linked-tmpfs"', "unlink")


def memdescs():
    written, empty = os.memfd_create("x"), os.memfd_create("x")
    os.pwrite(written, b"x" * 8192, 0)
    os.ftruncate(empty, 8192)
    for declared in ("anon", "slab", "misc/vmalloc", "misc/unknown"):
        expected = ["MemdescMismatch", f'"declared": "{declared}"', '"actual": "file', "pages are file"]
        memory(f"a memfd declared as {declared}", written, *expected, memdesc=declared)
    # Where no page tells what it is, the declaration counts.
    unsupported = "UnsupportedMemory"
    memory("anon", empty, unsupported, '"anon"', "memfd_create(2)", memdesc="anon")
    memory("slab", empty, unsupported, '"slab"', "kernel's own", memdesc="slab")
    memory("vmalloc", empty, unsupported, '"misc/vmalloc"', "the driver", memdesc="misc/vmalloc")
    memory("bare pages", empty, unsupported, '"misc/unknown"', "Bare", memdesc="misc/unknown")
    memory("no memdesc at all", empty, "InvalidParameter", "memdesc", memdesc="nonsense")
    memory("a number as memdesc", empty, "InvalidParameter", "memdesc", memdesc=2)


def names():
    invalid = "InvalidName"
    fds = [os.memfd_create("x")]
    for name in ("", "x" * 256, "a\nb", "a\tb", "\x7f"):
        parameters = {"name": name, "memoryFileDescriptor": 0}
        refused(f"name {name[:10]!r} of {len(name)}", parameters, fds, invalid)
    refused("name in use", {"name": "kept", "memoryFileDescriptor": 0}, fds, "RegionExists", "kept")
    refused("the same memory", {"name": "y", "memoryFileDescriptor": 0}, [KEPT], "DuplicateMemory")
    other = [os.open(f"/proc/self/fd/{KEPT}", os.O_RDWR)]
    refused("the same, opened anew", {"name": "y", "memoryFileDescriptor": 0}, other, "Duplicate")


def parameters():
    invalid = "InvalidParameter"
    fds = [os.memfd_create("x")]
    refused("no parameters", {}, fds, invalid)
    refused("no name", {"memoryFileDescriptor": 0}, fds, invalid, "name")
    refused("no fd", {"name": "x"}, fds, invalid, "memoryFileDescriptor")
    refused("a number as name", {"name": 7, "memoryFileDescriptor": 0}, fds, invalid, "name")
    refused("text as index", {"name": "x", "memoryFileDescriptor": "a"}, fds, invalid)
    refused("fd index out of range", {"name": "x", "memoryFileDescriptor": 1}, fds, invalid)
    refused("fd index below range", {"name": "x", "memoryFileDescriptor": -1}, fds, invalid)
    refused("fd index 2^31", {"name": "x", "memoryFileDescriptor": 1 << 31}, fds, invalid)
    refused("fd index 2^63", {"name": "x", "memoryFileDescriptor": 1 << 63}, fds, invalid)
    refused("no fd sent", {"name": "x", "memoryFileDescriptor": 0}, [], invalid)
    refused("text as required", {"name": "x", "memoryFileDescriptor": 0, "required": "a"}, fds, invalid)
    refused("an unknown parameter", {"name": "x", "memoryFileDescriptor": 0, "x": 1}, fds, invalid)


def raw(what, data, *expected):
    """What is no call at all may cost the connection, and nothing else."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/kho/io.kho.Handover")
        try:
            s.sendall(data)
            s.settimeout(10)
            answer = s.recv(4096).rstrip(b"\0").decode() or "the connection is closed"
        except OSError as error:
            answer = f"the connection is closed ({error.strerror})"
    report(what, answer, expected)


def garbage():
    raw("no JSON", b"hello\0")
    raw("no object", b"[1, 2]\0")
    raw("no method", b"{}\0")
    raw("an unknown method", b'{"method":"io.kho.Handover.Steal"}\0', "MethodNotFound")
    raw("parameters of another kind", b'{"method":"io.kho.Handover.Register","parameters":[]}\0')
    raw("no UTF-8", b'{"method":"io.kho.Handover.Claim","parameters":{"name":"\xff"}}\0')
    raw("deeply nested", b"[" * 100000 + b"\0")
    raw("Watch without more", b'{"method":"io.kho.Handover.Watch"}\0', "ExpectedMore")


def main():
    os.ftruncate(KEPT, 4096)
    call("Register", {"name": "kept", "memoryFileDescriptor": 0}, [KEPT])
    for cases in (kinds, memdescs, names, parameters, garbage):
        cases()
    listed = [region["name"] for region in call("List", {})[0]["regions"]]
    report("what is kept after all that", str(listed), ["['kept']"])
    call("Unregister", {"name": "kept"})
    sys.exit(f"failed: {FAILED}" if FAILED else 0)


if __name__ == "__main__":
    main()
