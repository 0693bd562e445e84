#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""restore-freeze.py COMMAND...: what kexec --kho -e does up to the point of no return, then COMMAND
instead of reboot(2), while all is frozen. Exits as COMMAND does."""

import json
import socket
import subprocess
import sys


def call(connection, method, parameters):
    message = {"method": "io.kho.Manager." + method, "parameters": parameters}
    connection.sendall(json.dumps(message).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        data = connection.recv(65536)
        if not data:
            sys.exit(f"khod closed the connection in {method}")
        reply += data
    reply = json.loads(reply[:-1])
    if "error" in reply:
        sys.exit(f"{method}: {reply['error']}: {reply['parameters'].get('message')}")
    return reply["parameters"]


with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("/run/kho/io.kho.Manager")
    update = call(connection, "Status", {})["update"]
    call(connection, "Freeze", {"update": update})
    sys.exit(subprocess.run(sys.argv[1:]).returncode)
