/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_VARLINK_IO_KHO_HANDOVER_H
#define KHO_DAEMON_VARLINK_IO_KHO_HANDOVER_H

#include <systemd/sd-varlink-idl.h>

/* The interface for services, on /run/kho/io.kho.Handover. */
extern const sd_varlink_interface vl_interface_io_kho_Handover;

#endif
