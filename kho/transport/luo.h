/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_LUO_H
#define KHO_TRANSPORT_LUO_H

#include "kho/kernel/luo.h"
#include "kho/transport/transport.h"

/* 7.1 takes 128 (kernel/liveupdate/luo_file.c); the rest is for late regions. */
#define LUO_FILES_PER_SESSION 100
/* Where the kernel's list of folios becomes too large to be allocated; in bytes. */
#define LUO_SIZE_MAX (1ULL << 40)
/* Bytes that the kernel needs for its lists, for each page. */
#define LUO_BYTES_PER_PAGE 32
/* Bytes of memory that no update takes: for everybody else. */
#define LUO_RESERVE (32ULL << 20)

/*
 * Writes kho-UPDATE_ID-NUMBER to buf. The update id is 16 hex digits, new in every update: LUO has
 * one name space, and a name that is taken can cost the next kernel its life.
 */
int luo_session_name(char buf[static LUO_SESSION_NAME_MAX + 1], const char *update_id,
		     size_t number);

/* What preserving costs; all in bytes. */
struct luo_demand {
	uint64_t total; /* sizes */
	uint64_t present;
	uint64_t holes;	  /* filled */
	uint64_t swapped; /* swapped in */
	uint64_t lists;	  /* the kernel's own */
};

/* Adds one file: its size, what is in memory, what is swapped out, all in bytes. */
void luo_demand_add(struct luo_demand *demand, uint64_t size, uint64_t present, uint64_t swapped);

/*
 * Bytes that have to be free, given how much memory in use lies in CMA, from where the kernel moves
 * what it preserves.
 */
uint64_t luo_demand_bytes(const struct luo_demand *demand, uint64_t cma_used);

#endif
