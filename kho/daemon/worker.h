/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_WORKER_H
#define KHO_DAEMON_WORKER_H

#include <systemd/sd-event.h>

/* Runs on a thread of its own; returns 0 or a negative errno. */
typedef int (*work_fn)(void *data);
/* Runs on the loop when the thread has ended. */
typedef void (*work_done_fn)(int result, void *data);

/* Starts fn on a thread; done is called once, from the loop, if this returns 0. data is the
 * thread's alone until then. A loop that ends first waits for the thread, and calls nobody. Errors:
 * -EAGAIN no more threads, -ENOMEM, -EMFILE.
 */
int work_start(sd_event *event, work_fn fn, work_done_fn done, void *data);

#endif
