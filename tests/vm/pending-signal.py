#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# pending-signal.py SIGNAL COMMAND...: a command that finds a signal pending, and blocked, when it starts.
import os, signal, sys

number = signal.Signals["SIG" + sys.argv[1]]
signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
os.kill(os.getpid(), number)
os.execvp(sys.argv[2], sys.argv[2:])
