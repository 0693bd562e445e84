#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A participant that does as it is told, and writes down what it hears: one line an event.

    participant.py NAME [--uid=N] [--optional] [--prepare=ANSWER] [--freeze=ANSWER]
                   [--delay=SECONDS] [--more=SECONDS] [--before=OWNER,...] [--after=OWNER,...]
                   [--journal=FILE] [--replace]

ANSWER is accept, refuse, silence, leave, or later (accept, as soon as there is a file /tmp/NAME.go);
it comes --delay seconds late, and --more asks for that much time first, twice. With --region it
keeps a region of that name. --journal appends what it hears and answers to a file that it shares
with others. --replace gives that region up and registers another under the same name when it is
told to prepare.
"""

import argparse
import os
import select
import sys
import time

import region
from counter import Connection, Refused, call

REASON = "the cache is being rebuilt"


def acknowledge(event, accept):
    try:
        call(
            "Acknowledge",
            {
                "participant": event["participant"],
                "update": event["update"],
                "phase": event["event"],
                "accept": accept,
                "reason": None if accept else REASON,
            },
        )
    except Refused as error:
        print(f"answer refused: {error.name}", flush=True)


def extend(event, seconds):
    try:
        reply = call(
            "ExtendTimeout",
            {
                "participant": event["participant"],
                "update": event["update"],
                "phase": event["event"],
                "timeoutUSec": seconds * 1000000,
                "reason": "the index is being written",
            },
        )[0]
        print(f"more than before: {reply['timeoutUSec'] > event['timeoutUSec']}", flush=True)
    except Refused as error:
        print(f"more refused: {error.name}", flush=True)


def receive(watch, go, pending):
    """The next event; meanwhile gives the answer that is pending as soon as it may."""
    while pending and b"\0" not in watch.data:
        if os.path.exists(go):
            acknowledge(pending, True)
            break
        if select.select([watch.socket], [], [], 0.05)[0]:
            break
    return watch.receive()[0]


def write_journal(path, line):
    if path:
        with open(path, "a") as file:
            file.write(line + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--optional", action="store_true")
    parser.add_argument("--prepare", default="accept")
    parser.add_argument("--freeze", default="accept")
    parser.add_argument("--region", type=int, help="bytes")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--more", type=int)
    parser.add_argument("--before", type=lambda text: text.split(","))
    parser.add_argument("--after", type=lambda text: text.split(","))
    parser.add_argument("--journal")
    parser.add_argument("--replace", action="store_true")
    options = parser.parse_args()
    if options.uid is not None:
        os.setuid(options.uid)
    if options.region is not None:
        fd = region.create(options.name, options.name, options.region)
        region.register(options.name, fd)
    watch = Connection()
    watch.send(
        "Watch",
        {
            "required": not options.optional,
            "freezeBefore": options.before,
            "freezeAfter": options.after,
        },
        more=True,
    )
    pending = None
    while True:
        event = receive(watch, f"/tmp/{options.name}.go", pending)
        print(event["event"], event.get("reason", ""), flush=True)
        write_journal(options.journal, f"{options.name} {event['event']}")
        answer = getattr(options, event["event"], None)
        if answer and options.more is not None:
            extend(event, options.more)
            extend(event, options.more)
        if options.replace and event["event"] == "prepare":
            call("Unregister", {"name": options.name})
            region.register(options.name, region.create(options.name, "another", 2 * options.region))
        if answer:
            time.sleep(options.delay)
        pending = event if answer == "later" else None
        if answer == "leave":
            return
        if answer in ("accept", "refuse"):
            write_journal(options.journal, f"{options.name} answers")
            acknowledge(event, answer == "accept")


if __name__ == "__main__":
    try:
        main()
    except ConnectionError as error:
        sys.exit(f"khod is away: {error}")
    except Refused as error:
        sys.exit(f"{error.name}: {error}")
