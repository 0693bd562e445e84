/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_VARLINK_IO_KHO_MANAGER_H
#define KHO_DAEMON_VARLINK_IO_KHO_MANAGER_H

#include <systemd/sd-varlink-idl.h>

/* The interface for the operator, root alone, on /run/kho/io.kho.Manager. */
extern const sd_varlink_interface vl_interface_io_kho_Manager;

#endif
