/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MESSAGES_H
#define KHO_DAEMON_MESSAGES_H

/*
 * What khod tells the journal, by MESSAGE_ID: systemd/kho.catalog explains each to who reads
 * journalctl -x, khod(8) lists them. An id never changes its meaning, nor is it used again.
 */
#define KHO_MESSAGES(X)                                                                            \
	X(UPDATE_BEGINS, "ee9344deaf824a71a9ac79998d82fa4e")                                       \
	X(UPDATE_PREPARED, "2627ca2b3a0e4d3b9b67436c8df6d0d4")                                     \
	X(UPDATE_STAGED, "c55897dc0e74445990aedd39c0dc406f")                                       \
	X(UPDATE_FREEZES, "80e5ab3809c34700bf8033419b932afc")                                      \
	X(UPDATE_FROZEN, "335445b3465042eab2f8837a8520df00")                                       \
	X(UPDATE_COMMITTED, "c4d867a7548441bc8eaa2d6916ae7719")                                    \
	X(SHUTDOWN_UNSTAGED, "2f3a8a2337684ac6bb806e8c3eebf903")                                   \
	X(SHUTDOWN_LOSES, "f93e58bd1e0a4ca1b02053eb7f396d79")                                      \
	X(UPDATE_ABORTED, "4f90b58efd27401588cae4ce5cbe9833")                                      \
	X(UPDATE_UNDONE, "41718b71243d4ccfb68e5a41e50ad2c4")                                       \
	X(UPDATE_CONTINUED, "cb8eea19822b4599b96876c7d9dfcf70")                                    \
	X(UPDATE_ARRIVES, "920b5992f9fa4b74b2f5aad8ca392d28")                                      \
	X(UPDATE_RESTORED, "110d43c08fa2469ab380bab55e108a00")                                     \
	X(UPDATE_INCOMPLETE, "57ba1daff140400e8536cddb9629ede4")                                   \
	X(UPDATE_WARNING, "76b937430e8b450686027c55ec9e089a")                                      \
	X(CLAIMS_COMPLETE, "6912c6d85d4748edb900dfbb85272f1c")                                     \
	X(LEFT_BEHIND, "825ce3269da445508df33babbe8fefca")                                         \
	X(NOT_CARRIED, "a3c7f3f15cd54bd1823f3586fdcf523b")                                         \
	X(TOO_LATE, "634fff655bf242e2bf0d256dc414a4de")                                            \
	X(REGION_REGISTERED, "2e268a6e108c4409908b4f20c191910c")                                   \
	X(REGION_UNREGISTERED, "702f01fc2ed24f5b9d61191332f1c7f8")                                 \
	X(REGION_CLAIMED, "0885fa7295dd49a4b100223d8da129d8")                                      \
	X(REGION_TAKEN, "b899c99d33a94eac8f26fb20499e9bc0")                                        \
	X(REGION_GIVEN, "b4038beb5b9046f2a2101dce5567be97")                                        \
	X(REGION_DROPPED, "dbd9fd5dc58e4af68ff66af804c79cf6")                                      \
	X(REGION_LOST, "fe024ada99d04aba965df91600ab65d1")                                         \
	X(REGION_DAMAGED, "1438d58b60904028ba842b1729f7cb3d")                                      \
	X(ARRIVAL_UNKNOWN, "41ad0fb5709044c3aa729c1a73267a10")                                     \
	X(RESTORE_WAITS, "12e93b5d34cc4bb28bfc10497bab5fd9")                                       \
	X(NO_FD_STORE, "cb30deac87864392bae3360c2031549c")

enum message {
	MESSAGE_NONE, /* a line that belongs to no step, refusal or loss */
#define MESSAGE_ENUM(name, id) MESSAGE_##name,
	KHO_MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
		_MESSAGE_MAX,
};

/* 32 hexadecimal digits; NULL for MESSAGE_NONE. */
const char *message_id(enum message message);

#endif
