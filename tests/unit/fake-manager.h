/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_FAKE_MANAGER_H
#define TESTS_UNIT_FAKE_MANAGER_H

#include "tests/unit/fake-khod.h"

/* Speaks io.kho.Manager too, as far as regions of other owners go: all regions are FAKE_OWNER's. */
#define FAKE_OWNER "test.service"

/* For the thread of the fake khod, before its loop runs. */
struct sd_varlink_server *fake_manager_serve(struct fake_khod *khod);

#endif
