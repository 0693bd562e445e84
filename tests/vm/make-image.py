#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes other images out of a bzImage:
#   uki KERNEL OUT CMDLINE [INITRD [OSREL]]
#                                     a unified kernel image, which no firmware could start: it has no code
#   version KERNEL OUT OLD NEW        the same kernel with another version of a string
# or such ones as are only to be looked at:
#   btf KERNEL OUT NAME MEMBER...     the same kernel with BTF of one structure
#   pack KERNEL OUT gzip|bzip2|xz|lzma|zstd
#                                     the same kernel, packed by another compressor
#   handler KERNEL OUT STRING         the same kernel with one more struct liveupdate_file_handler
import bz2, gzip, lzma, struct, subprocess, sys


def padded(data, to):
    return data + bytes(-len(data) % to)


def uki(kernel, cmdline, initrd=None, osrel=None):
    sections = [(b".linux", kernel), (b".cmdline", cmdline.encode())]
    if initrd:
        sections.append((b".initrd", open(initrd, "rb").read()))
    if osrel:
        sections.append((b".osrel", osrel.encode()))
    header = bytearray(0x400)
    struct.pack_into("2s58xI", header, 0, b"MZ", 0x80)
    struct.pack_into("<4sHH12xHH", header, 0x80, b"PE", 0x8664, len(sections), 0xF0, 0x22)
    struct.pack_into("<H22xQ", header, 0x98, 0x20B, 0)
    body, address = b"", 0x1000
    for i, (name, data) in enumerate(sections):
        raw = padded(data, 512)
        struct.pack_into("<8sIIII12xI", header, 0x188 + 40 * i, name, len(data), address, len(raw),
                         len(header) + len(body), 0x40000040)
        body += raw
        address += len(data) + -len(data) % 4096
    return bytes(header) + body


def types(name, members):
    strings, offsets = b"\0", {}
    for string in [name, "number", *members]:
        offsets[string] = len(strings)
        strings += string.encode() + b"\0"
    data = struct.pack("<IIII", offsets["number"], 1 << 24, 8, 64)
    data += struct.pack("<III", offsets[name], 4 << 24 | len(members), 8 * len(members))
    for i, member in enumerate(members):
        data += struct.pack("<III", offsets[member], 1, 64 * i)
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(data), len(data), len(strings))
    return header + data + strings


# Documentation/arch/x86/boot.rst: where the payload is, and how large.
def payload_of(kernel):
    begin = 512 * ((kernel[0x1F1] or 4) + 1) + struct.unpack_from("<I", kernel, 0x248)[0]
    return begin, struct.unpack_from("<I", kernel, 0x24C)[0]


# The kernel's own code knows the size of its payload: packed as its build does, it becomes no longer.
def version(kernel, old, new):
    begin, size = payload_of(kernel)
    vmlinux = gzip.decompress(kernel[begin:begin + size])
    assert len(old) == len(new) and vmlinux.count(old.encode() + b"\0") == 1
    vmlinux = vmlinux.replace(old.encode() + b"\0", new.encode() + b"\0")
    payload = subprocess.run(["gzip", "-9n"], input=vmlinux, stdout=subprocess.PIPE, check=True).stdout
    assert len(payload) <= size, "%d bytes too long" % (len(payload) - size)
    return kernel[:begin] + payload.ljust(size, b"\0") + kernel[begin + size:]


# scripts/Makefile.lib: all but gzip get the size behind them.
def pack(kernel, compressor="gzip", data=b""):
    begin, size = payload_of(kernel)
    vmlinux = gzip.decompress(kernel[begin:begin + size])
    if data:
        vmlinux = padded(vmlinux, 8) + data + bytes(64)
    payload = {
        "gzip": lambda: gzip.compress(vmlinux, 1),
        "bzip2": lambda: bz2.compress(vmlinux, 1),
        "xz": lambda: lzma.compress(vmlinux, check=lzma.CHECK_CRC32, preset=0),
        "lzma": lambda: lzma.compress(vmlinux, lzma.FORMAT_ALONE, preset=0),
        "zstd": lambda: subprocess.run(["zstd", "-q1"], input=vmlinux, stdout=subprocess.PIPE,
                                       check=True).stdout,
    }[compressor]()
    if compressor != "gzip":
        payload += struct.pack("<I", len(vmlinux))
    image = bytearray(padded(kernel[:begin] + payload, 16))
    struct.pack_into("<I", image, 0x24C, len(payload))
    struct.pack_into("<I", image, 0x1F4, (len(image) - 512 * (kernel[0x1F1] + 1)) // 16)
    return bytes(image)


def btf(kernel, name, *members):
    return pack(kernel, data=types(name, members))


def handler(kernel, compatible):
    return pack(kernel, data=struct.pack("<Q48s", 0xFFFFFFFF81000000, compatible.encode()))


kind, source, target, *rest = sys.argv[1:]
image = {"uki": uki, "btf": btf, "handler": handler, "pack": pack, "version": version}[kind](open(source, "rb").read(), *rest)
open(target, "wb").write(image)
