#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes part in updates, writes each event to stdout, and refuses the phases that it is given.

usage: kexec-participant.py REQUIRED(yes|no) PHASE-TO-REFUSE...
"""
import json
import socket
import sys


class Connection:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect("/run/kho/io.kho.Handover")
        self.rest = b""

    def send(self, method, parameters, more=False):
        call = {"method": "io.kho.Handover." + method, "parameters": parameters, "more": more}
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                sys.exit("khod closed the connection")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)


def main():
    required, refused = sys.argv[1] == "yes", sys.argv[2:]
    watch, answer = Connection(), Connection()
    watch.send("Watch", {"required": required}, more=True)
    while True:
        event = watch.receive()["parameters"]
        print(event["event"], flush=True)
        if event["event"] not in ("prepare", "freeze"):
            continue
        answer.send("Acknowledge", {
            "participant": event["participant"], "update": event["update"],
            "phase": event["event"], "accept": event["event"] not in refused,
            "reason": "the disk is being repaired"})
        answer.receive()


main()
