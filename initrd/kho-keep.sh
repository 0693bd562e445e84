#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A hook of dracut (pre-pivot): comes into the initrd by the archive that it is about.
[ ! -x /kho/init ] || /kho/init keep
