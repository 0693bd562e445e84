/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/option-table.h"
#include "kexec/options.h"

#define KEXEC_LOAD_CARRIES_NOTHING "kexec_load carries no memory over, only kexec_file_load does"
#define FOR_CRASH_KERNELS "it is for crash kernels, and those get no memory handed over"
#define FOR_JUMPING_BACK "there is no way back into the kernel that handed its memory over"
#define FOR_XEN "it is for Xen"
#define NOT_BY_FILE "kexec_file_load can't do that"

#define ACTION(name, letter, action) {name, letter, false, ROLE_ACTION, action, NULL}
#define FLAG(name, letter, role) {name, letter, false, role, 0, NULL}
#define VALUE(name, letter, role) {name, letter, true, role, 0, NULL}
#define REFUSED(name, letter, has_argument, reason)                                                \
	{name, letter, has_argument, ROLE_REFUSE, 0, reason}

const struct known_option known_options[] = {
	FLAG("kho", 0, ROLE_KHO),
	VALUE("kho-timeout", 0, ROLE_TIMEOUT),
	VALUE("kho-digest", 0, ROLE_DIGEST),
	FLAG("kho-force", 0, ROLE_FORCE),
	FLAG("kho-dry-run", 0, ROLE_DRY_RUN),
	VALUE("kho-transport", 0, ROLE_TRANSPORT),
	VALUE("kho-spool", 0, ROLE_SPOOL),
	VALUE("entry", 0, ROLE_ENTRY), /* without --kho: of a kernel to jump back to */
	ACTION("kho-shutdown", 0, ACTION_SHUTDOWN),
	ACTION("kho-first-step", 0, ACTION_FIRST_STEP),
	VALUE("kho-last-step", 0, ROLE_LAST_STEP),

	ACTION("load", 'l', ACTION_LOAD),
	ACTION("exec", 'e', ACTION_EXECUTE),
	ACTION("unload", 'u', ACTION_UNLOAD),
	ACTION("status", 'S', ACTION_STATUS),
	ACTION("help", 'h', ACTION_HELP),
	ACTION("version", 'v', ACTION_VERSION),

	FLAG("no-sync", 'y', ROLE_NO_SYNC),
	FLAG("no-ifdown", 'x', ROLE_IMPLIED),
	FLAG("kexec-file-syscall", 's', ROLE_IMPLIED),
	FLAG("debug", 'd', ROLE_FORWARD),
	FLAG("no-checks", 'i', ROLE_FORWARD),
	VALUE("type", 't', ROLE_FORWARD),
	FLAG("reuseinitrd", 0, ROLE_FORWARD),
	FLAG("no-cma", 0, ROLE_FORWARD),
	FLAG("force-dtb", 0, ROLE_FORWARD),
	VALUE("command-line", 0, ROLE_COMMAND_LINE),
	VALUE("append", 0, ROLE_COMMAND_LINE),
	FLAG("reuse-cmdline", 0, ROLE_REUSE_CMDLINE),
	VALUE("initrd", 0, ROLE_INITRD),
	VALUE("ramdisk", 0, ROLE_INITRD),
	VALUE("dtb", 0, ROLE_FORWARD),
	VALUE("serial", 0, ROLE_FORWARD),

	REFUSED("force", 'f', false, "say -l -e, which loads and executes at once"),
	REFUSED("kexec-syscall", 'c', false, KEXEC_LOAD_CARRIES_NOTHING),
	REFUSED("kexec-syscall-auto", 'a', false,
		"it falls back to kexec_load, which carries no memory over"),
	REFUSED("load-panic", 'p', false, FOR_CRASH_KERNELS),
	REFUSED("hotplug", 0, false, FOR_CRASH_KERNELS),
	REFUSED("print-ckr-size", 0, false, FOR_CRASH_KERNELS),
	REFUSED("load-preserve-context", 0, false, FOR_JUMPING_BACK),
	REFUSED("load-jump-back-helper", 0, false, FOR_JUMPING_BACK),
	REFUSED("load-live-update", 0, false, FOR_XEN),
	REFUSED("exec-live-update", 0, false, FOR_XEN),
	REFUSED("mem-min", 0, true, NOT_BY_FILE),
	REFUSED("mem-max", 0, true, NOT_BY_FILE),

#if defined(__x86_64__) || defined(__i386__)
	FLAG("reset-vga", 0, ROLE_FORWARD),
	VALUE("serial-baud", 0, ROLE_FORWARD),
	FLAG("console-vga", 0, ROLE_FORWARD),
	FLAG("console-serial", 0, ROLE_FORWARD),
	FLAG("noefi", 0, ROLE_FORWARD),
	FLAG("reuse-video-type", 0, ROLE_FORWARD),
	REFUSED("elf32-core-headers", 0, false, FOR_CRASH_KERNELS),
	REFUSED("elf64-core-headers", 0, false, FOR_CRASH_KERNELS),
	REFUSED("pass-memmap-cmdline", 0, false, FOR_CRASH_KERNELS),
	REFUSED("args-elf", 0, false, NOT_BY_FILE),
	REFUSED("args-linux", 0, false, NOT_BY_FILE),
	REFUSED("args-none", 0, false, NOT_BY_FILE),
	REFUSED("module", 0, true, NOT_BY_FILE),
	REFUSED("real-mode", 0, false, NOT_BY_FILE),
	REFUSED("entry-32bit", 0, false, NOT_BY_FILE),
#endif
};
const size_t n_known_options = sizeof(known_options) / sizeof(known_options[0]);
