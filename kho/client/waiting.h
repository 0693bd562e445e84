/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_WAITING_H
#define KHO_CLIENT_WAITING_H

#include <systemd/sd-json.h>

/*
 * Who is waited for, and why it takes long, in a phrase each: "db.service", "cache.service (more
 * time: the index is being written)", "web.service (after db.service)". progress:
 * io.kho.Manager.Progress, borrowed. *ret ends with NULL and is the caller's, for free_strv(). 0 or
 * -ENOMEM.
 */
int waiting_phrases(sd_json_variant *progress, char ***ret);

#endif
