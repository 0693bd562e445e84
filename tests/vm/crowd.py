#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many owners, each a process of a uid of its own, with regions of the same names.

    crowd.py make|check OWNERS REGIONS

Region REGIONS-1 of each is named after its owner: the others know the name and must not get it.
"""

import os
import sys

import region
from counter import Refused, call

FIRST_UID = 20000


def size_of(uid, number):
    """From nothing to 96 KiB, most of them no multiple of a page."""
    return (uid * 7919 + number * 104729) % (96 << 10) if number else 0


def name_of(uid, number, regions):
    return f"of-{uid}" if number == regions - 1 else f"region-{number}"


def make(uid, owners, regions):
    for number in range(regions):
        name = name_of(uid, number, regions)
        fd = region.create(name, f"{uid}/{number}", size_of(uid, number))
        region.add_seals(fd, "write")
        region.register(name, fd)
        os.close(fd)


def check_list(uid, regions):
    expected = {name_of(uid, number, regions): size_of(uid, number) for number in range(regions)}
    listed = {item["name"]: item for item in call("List", {})[0]["regions"]}
    if {name: item["size"] for name, item in listed.items()} != expected:
        sys.exit(f"uid {uid} sees {listed}")
    for item in listed.values():
        if item["owner"] != f"uid:{uid}" or item["check"] != "verified" or item["claimed"]:
            sys.exit(f"uid {uid} sees {item}")


def refused(uid, method, name):
    try:
        call(method, {"name": name})
    except Refused as error:
        if error.name == "NoSuchRegion":
            return
        sys.exit(f"uid {uid}: {method} of another's {name}: {error.name}: {error}")
    sys.exit(f"uid {uid} got another's {name} by {method}")


def check(uid, owners, regions):
    check_list(uid, regions)
    neighbour = FIRST_UID + (uid - FIRST_UID + 1) % owners
    for method in ("Claim", "Release", "Unregister"):
        refused(uid, method, f"of-{neighbour}")
    for number in range(regions):
        name = name_of(uid, number, regions)
        state, fd = region.claim(name)
        wrong = region.compare(fd, f"{uid}/{number}", size_of(uid, number))
        if wrong:
            sys.exit(f"uid {uid}, {name}: {wrong}")
        if region.names_of_seals(fd) != "write":
            sys.exit(f"uid {uid}, {name} has the seals {region.names_of_seals(fd)}")
        os.close(fd)


def main():
    verb, owners, regions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for uid in range(FIRST_UID, FIRST_UID + owners):
        pid = os.fork()
        if pid == 0:
            os.setuid(uid)
            {"make": make, "check": check}[verb](uid, owners, regions)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            sys.exit(1)


if __name__ == "__main__":
    main()
