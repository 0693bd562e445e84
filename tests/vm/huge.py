#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Regions of huge pages: make NAME PAGES, or check NAME PAGES, of 2 MiB each.

Every second page is left alone; the others begin with what they are.
"""

import fcntl
import mmap
import os
import sys

import region

PAGE = 2 << 20
POSITION = 12345


def mark(page):
    return b"page %d" % page


def make(name, pages):
    fd = os.memfd_create(name, os.MFD_HUGETLB | os.MFD_HUGE_2MB | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, pages * PAGE)
    with mmap.mmap(fd, pages * PAGE) as memory:
        for page in range(0, pages, 2):
            memory[page * PAGE : page * PAGE + len(mark(page))] = mark(page)
            memory[(page + 1) * PAGE - 1] = 1
    os.lseek(fd, POSITION, os.SEEK_SET)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    region.register(name, fd)


def check(name, pages):
    _, fd = region.claim(name)
    status = os.fstat(fd)
    assert status.st_size == pages * PAGE, status
    assert status.st_blksize == PAGE, f"pages of {status.st_blksize} bytes"
    assert os.lseek(fd, 0, os.SEEK_CUR) == POSITION, "position"
    assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == fcntl.F_SEAL_SHRINK, "seals"
    with mmap.mmap(fd, pages * PAGE) as memory:
        for page in range(pages):
            data = memory[page * PAGE : (page + 1) * PAGE]
            expected = bytearray(PAGE)
            if page % 2 == 0:
                expected[: len(mark(page))] = mark(page)
                expected[-1] = 1
            assert data == bytes(expected), f"page {page}"


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
