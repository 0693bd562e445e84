/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/varlink-io.kho.Manager.h"

#define COMMENT(text) SD_VARLINK_FIELD_COMMENT(text)
#define NULLABLE SD_VARLINK_NULLABLE
#define ARRAY SD_VARLINK_ARRAY
#define INPUT(name, type, flags) SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_##type, flags)
#define OUTPUT(name, type, flags) SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_##type, flags)
#define FIELD(name, type, flags) SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_##type, flags)
/* An output of a named type whose field has another name than the type. */
#define OUTPUT_OF(field, type, flags)                                                              \
	{.name = #field,                                                                           \
	 .field_type = SD_VARLINK_NAMED_TYPE,                                                      \
	 .named_type = #type,                                                                      \
	 .symbol = &vl_type_##type,                                                                \
	 .field_flags = (flags),                                                                   \
	 .field_direction = SD_VARLINK_OUTPUT}

#define INPUT_OF(field, type, flags)                                                               \
	{.name = #field,                                                                           \
	 .field_type = SD_VARLINK_NAMED_TYPE,                                                      \
	 .named_type = #type,                                                                      \
	 .symbol = &vl_type_##type,                                                                \
	 .field_flags = (flags),                                                                   \
	 .field_direction = SD_VARLINK_INPUT}

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	RegionStatus, FIELD(name, STRING, 0),
	COMMENT("UNIT, uid:N/UNIT or uid:N; see io.kho.Handover."), FIELD(owner, STRING, 0),
	COMMENT("Bytes."), FIELD(size, INT, 0), COMMENT("As kho-memdesc(7) spells it."),
	FIELD(memdesc, STRING, 0), FIELD(required, BOOL, 0), FIELD(claimed, BOOL, 0),
	COMMENT("new, verified, unchecked, damaged or lost; see Check in io.kho.Handover."),
	FIELD(check, STRING, 0), COMMENT("Why, if damaged or lost."),
	FIELD(reason, STRING, NULLABLE),
	COMMENT("What carries it in the update in progress, or carried it: luo, spool, initrd."),
	FIELD(transport, STRING, NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Participant, FIELD(participant, INT, 0), FIELD(owner, STRING, 0),
	COMMENT("Process that watches."), FIELD(pid, INT, 0), FIELD(required, BOOL, 0),
	COMMENT("watching, waiting (is told freeze when others have answered), asked (prepare or "
		"freeze was told, no answer yet), accepted, refused, left-behind (optional, and "
		"without an answer in time)."),
	FIELD(state, STRING, 0), COMMENT("Whether it has asked for more time to answer."),
	FIELD(extended, BOOL, 0), COMMENT("Why, if it said so."), FIELD(reason, STRING, NULLABLE),
	COMMENT("Owners, as Watch of io.kho.Handover had them."),
	FIELD(freezeBefore, STRING, NULLABLE | ARRAY), FIELD(freezeAfter, STRING, NULLABLE | ARRAY),
	COMMENT("While it is waiting: owners that have to answer first."),
	FIELD(waitsFor, STRING, NULLABLE | ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Moment,
	COMMENT("prepare, prepared, staged, freeze, frozen, commit, kernel-start, daemon-start, "
		"restored, first-claim, last-claim."),
	FIELD(event, STRING, 0), COMMENT("Microseconds since 1970, CLOCK_REALTIME."),
	FIELD(realtimeUSec, INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Progress,
	COMMENT("check, prepare (participants are asked), preserve, freeze (participants stop), "
		"digest, copy, record, release."),
	FIELD(phase, STRING, 0), COMMENT("Regions done, of total."), FIELD(done, INT, 0),
	FIELD(total, INT, 0), COMMENT("Owners that have not answered yet."),
	FIELD(waitingFor, STRING, ARRAY), COMMENT("The participants that have not."),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(waiting, Participant, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	Status,
	COMMENT("idle, preparing, prepared, staged, freezing, frozen, committed, aborting, restoring."),
	OUTPUT(state, STRING, 0), OUTPUT(update, STRING, NULLABLE), COMMENT("uname -r."),
	OUTPUT(kernelRelease, STRING, 0),
	COMMENT("KHO generation that the kernel has; as in kho(8)."), OUTPUT(kho, STRING, 0),
	COMMENT("Whether memory can stay in place, by LUO."), OUTPUT(luo, BOOL, 0),
	COMMENT("What is missing and what to do, if luo is false."),
	OUTPUT(luoReason, STRING, NULLABLE), OUTPUT(regions, INT, 0),
	COMMENT("Bytes of all regions."), OUTPUT(size, INT, 0),
	COMMENT("Regions that arrived and wait for their owner."), OUTPUT(unclaimed, INT, 0),
	COMMENT("Regions the last update did not bring or brought damaged."), OUTPUT(lost, INT, 0),
	OUTPUT_OF(participants, Participant, ARRAY),
	COMMENT("Image, release: the kernel the update goes to."), OUTPUT(image, STRING, NULLABLE),
	OUTPUT(nextRelease, STRING, NULLABLE), COMMENT("Whether an image is loaded for kexec."),
	OUTPUT(kexecLoaded, BOOL, 0), OUTPUT_OF(progress, Progress, NULLABLE),
	COMMENT("What stands in the way, with the way out: one line each."),
	OUTPUT(problems, STRING, ARRAY));

static SD_VARLINK_DEFINE_METHOD(List, COMMENT("Only regions that wait for their owner."),
				INPUT(unclaimed, BOOL, NULLABLE),
				OUTPUT_OF(regions, RegionStatus, ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	Prepare, SD_VARLINK_SUPPORTS_MORE,
	COMMENT("Path of the next kernel's image; for status and report."), INPUT(image, STRING, 0),
	COMMENT("Its release as far as known."), INPUT(nextRelease, STRING, NULLABLE),
	COMMENT("Digests are taken of regions up to this many bytes; 0: none. Default: 268435456."),
	INPUT(digestSizeMax, INT, NULLABLE),
	COMMENT("Microseconds until all participants have to have answered. One has half of it, "
		"from when it is asked, unless it asks for more. Default: 60 s."),
	INPUT(timeoutUSec, INT, NULLABLE),
	COMMENT("The next kernel did not pass the check, and the operator goes on all the same; for "
		"the report. Default: false."),
	INPUT(forced, BOOL, NULLABLE),
	COMMENT("The next kernel takes no memory over in place: every region goes by copy, when its "
		"owner has frozen. Default: false."),
	INPUT(copy, BOOL, NULLABLE),
	COMMENT("auto (what fits, in place where it can be), luo (in place or not at all), spool, "
		"initrd."),
	INPUT(transport, STRING, NULLABLE),
	COMMENT("The caller loads the next kernel once more after Freeze, with the archive that "
		"comes with its reply in the initrd, and what keeps it there. Default: false."),
	INPUT(initrd, BOOL, NULLABLE),
	COMMENT("Absolute path of the directory for copies on disk, or no: none may be there. Default: "
		"/var/lib/kho/spool."),
	INPUT(spool, STRING, NULLABLE), COMMENT("Intermediate replies carry only this."),
	OUTPUT_OF(progress, Progress, NULLABLE), OUTPUT(update, STRING, NULLABLE),
	OUTPUT(regions, INT, NULLABLE), COMMENT("Bytes."), OUTPUT(size, INT, NULLABLE),
	COMMENT("luo: in place; kernel: no region, only what kernel code hands over; copy: all of it "
		"by the carrier."),
	OUTPUT(transport, STRING, NULLABLE),
	COMMENT("initrd, spool: what takes the regions that do not stay in place; null: there are none."),
	OUTPUT(carrier, STRING, NULLABLE),
	COMMENT("Regions that go by copy, their bytes, and how many microseconds copying will take, "
		"as far as can be told."),
	OUTPUT(copies, INT, NULLABLE), OUTPUT(copySize, INT, NULLABLE),
	OUTPUT(copyUSec, INT, NULLABLE),
	COMMENT("Optional regions and participants that are left behind, one line each."),
	OUTPUT(warnings, STRING, NULLABLE | ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	PlannedRegion, FIELD(name, STRING, 0), FIELD(owner, STRING, 0), COMMENT("Bytes."),
	FIELD(size, INT, 0), FIELD(required, BOOL, 0),
	COMMENT("luo: stays in place; initrd, spool: goes by copy; kernel: is refused; null: "
		"nothing can take it, see problem."),
	FIELD(transport, STRING, NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
	Plan, COMMENT("These four as in Prepare."), INPUT(copy, BOOL, NULLABLE),
	INPUT(transport, STRING, NULLABLE), INPUT(initrd, BOOL, NULLABLE),
	INPUT(spool, STRING, NULLABLE), COMMENT("As in Prepare."), OUTPUT(transport, STRING, 0),
	OUTPUT(carrier, STRING, NULLABLE), OUTPUT_OF(regions, PlannedRegion, ARRAY),
	COMMENT("Regions that go by copy, and their bytes."), OUTPUT(copies, INT, 0),
	OUTPUT(copySize, INT, 0),
	COMMENT("Bytes of these that are in memory, or swapped out: more is not copied."),
	OUTPUT(copySizeMax, INT, 0), COMMENT("Microseconds that copying will take, about."),
	OUTPUT(copyUSec, INT, 0), COMMENT("Directory for copies on disk; null: none may be there."),
	OUTPUT(spool, STRING, NULLABLE),
	COMMENT("Why Prepare would be refused, with the numbers; null: it would not."),
	OUTPUT(problem, STRING, NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Leftover, COMMENT("Id of the update that they were made for."), FIELD(update, STRING, 0),
	COMMENT("Directory."), FIELD(spool, STRING, 0), FIELD(regions, INT, 0),
	COMMENT("Bytes on disk."), FIELD(size, INT, 0),
	COMMENT("Whether that update was about to be carried out; else it stopped before."),
	FIELD(complete, BOOL, 0), COMMENT("When they were made; microseconds since 1970."),
	FIELD(realtimeUSec, INT, 0));

static SD_VARLINK_DEFINE_METHOD(Leftovers, OUTPUT_OF(leftovers, Leftover, ARRAY));

static SD_VARLINK_DEFINE_METHOD(DropLeftover, INPUT(update, STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(NotCarried, FIELD(unit, STRING, 0), COMMENT("FDNAME= of it."),
				     FIELD(name, STRING, 0), COMMENT("A sentence for people."),
				     FIELD(reason, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	Staged, INPUT(update, STRING, 0),
	COMMENT("What even an orderly shutdown loses, for the log and the report."),
	INPUT_OF(notCarried, NotCarried, NULLABLE | ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	Freeze, SD_VARLINK_SUPPORTS_MORE, INPUT(update, STRING, 0),
	COMMENT("Microseconds until all participants have to have stopped, as in Prepare. Default: "
		"60 s."),
	INPUT(timeoutUSec, INT, NULLABLE),
	COMMENT("What gets lost without an orderly shutdown, for the log and the report."),
	INPUT_OF(notCarried, NotCarried, NULLABLE | ARRAY),
	COMMENT("Intermediate replies carry only this."), OUTPUT_OF(progress, Progress, NULLABLE),
	OUTPUT(regions, INT, NULLABLE), COMMENT("Regions whose digest was taken."),
	OUTPUT(digested, INT, NULLABLE),
	COMMENT("Of the fds that come with the reply, the archive (newc) of the copies that go in "
		"the next kernel's initrd, as memory that nobody else has open; null: none do."),
	OUTPUT(archive, INT, NULLABLE), OUTPUT(warnings, STRING, NULLABLE | ARRAY));

static SD_VARLINK_DEFINE_METHOD(Commit, INPUT(update, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	ShutDown, COMMENT("kexec, reboot, poweroff, halt; others mean nothing."),
	INPUT(kind, STRING, 0),
	COMMENT("Whoever calls has looked at the kernel that is loaded, and "
		"says what is wrong with it."),
	INPUT(checked, BOOL, NULLABLE), INPUT(problem, STRING, NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
	Abort, COMMENT("Only if this update is in progress; null: whichever is."),
	INPUT(update, STRING, NULLABLE), COMMENT("Told to participants, and in the log."),
	INPUT(reason, STRING, NULLABLE),
	COMMENT("The update may be committed: the shutdown that was to follow does not happen."),
	INPUT(shutdownFailed, BOOL, NULLABLE),
	COMMENT("The update that was aborted; null: there was none, and nothing was done."),
	OUTPUT(aborted, STRING, NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
	Report, COMMENT("Null: no update has been through this machine."),
	OUTPUT(update, STRING, NULLABLE),
	COMMENT("restored (all of it), incomplete (something lost or damaged), lost (nothing came). "
		"Null although there is an update: it is being restored, or waits for what problems "
		"says; ask again."),
	OUTPUT(result, STRING, NULLABLE), OUTPUT(previousRelease, STRING, NULLABLE),
	OUTPUT(kernelRelease, STRING, NULLABLE), OUTPUT(kexecCount, INT, NULLABLE),
	COMMENT("/proc/sys/kernel/random/boot_id of the boot that it arrived in."),
	OUTPUT(bootId, STRING, NULLABLE),
	COMMENT("Whether the operator overrode the check of the next kernel."),
	OUTPUT(forced, BOOL, NULLABLE),
	COMMENT("If something went by copy: bytes that were copied (holes and zeros are not), how many "
		"microseconds that took, and how many it was expected to take."),
	OUTPUT(copySize, INT, NULLABLE), OUTPUT(copyUSec, INT, NULLABLE),
	OUTPUT(copyUSecEstimated, INT, NULLABLE),
	COMMENT("How the machine went down, if that was not by kexec, so that no memory was kept; "
		"update is then of an update that was staged, or null."),
	OUTPUT(shutdown, STRING, NULLABLE),
	COMMENT("Microseconds from when services began to be stopped, by freeze or by the shutdown, "
		"to the last claim of a region that was kept."),
	OUTPUT(downtimeUSec, INT, NULLABLE), OUTPUT_OF(timeline, Moment, NULLABLE | ARRAY),
	OUTPUT_OF(regions, RegionStatus, NULLABLE | ARRAY),
	OUTPUT(problems, STRING, NULLABLE | ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	Tree,
	COMMENT("Index of an fd with the handover tree, a flattened device tree, kho-tree(5)."),
	OUTPUT(treeFileDescriptor, INT, 0));

static SD_VARLINK_DEFINE_METHOD(
	Wait, COMMENT("Microseconds; null: without end."), INPUT(timeoutUSec, INT, NULLABLE),
	COMMENT("Required regions that are not claimed, if time ran out; lost or damaged ones."),
	OUTPUT_OF(unclaimed, RegionStatus, ARRAY), OUTPUT_OF(lost, RegionStatus, ARRAY));

static SD_VARLINK_DEFINE_METHOD(Drop, INPUT(owner, STRING, 0), INPUT(name, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(Give, INPUT(owner, STRING, 0), INPUT(name, STRING, 0),
				COMMENT("UNIT, uid:N/UNIT or uid:N. Default: the caller's own."),
				INPUT(newOwner, STRING, NULLABLE),
				OUTPUT_OF(region, RegionStatus, 0));

static SD_VARLINK_DEFINE_METHOD(Take, INPUT(owner, STRING, 0), INPUT(name, STRING, 0),
				COMMENT("Take it even if its content has changed on the way."),
				INPUT(damaged, BOOL, NULLABLE),
				COMMENT("Index of an fd of the region's memory itself."),
				OUTPUT(memoryFileDescriptor, INT, 0),
				OUTPUT_OF(region, RegionStatus, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(
	Monitor, SD_VARLINK_REQUIRES_MORE,
	COMMENT("monitoring (always the first), state (it has changed), joined and left (owner), "
		"told (owner, phase), accepted, refused and extended (owner, phase; extended: it "
		"has more time), abort (cause), problem, "
		"registered, unregistered, claimed, released, taken, given (to that owner), "
		"dropped, lost and damaged (owner, name), restored (reason: the result as Report has it). Later versions may "
		"have more."),
	OUTPUT(event, STRING, 0), COMMENT("Microseconds since 1970, CLOCK_REALTIME."),
	OUTPUT(realtimeUSec, INT, 0), COMMENT("As Status has it."), OUTPUT(state, STRING, 0),
	OUTPUT(update, STRING, NULLABLE), OUTPUT(owner, STRING, NULLABLE),
	COMMENT("prepare, freeze or resume."), OUTPUT(phase, STRING, NULLABLE),
	COMMENT("Of the region."), OUTPUT(name, STRING, NULLABLE), COMMENT("Bytes of the region."),
	OUTPUT(size, INT, NULLABLE), COMMENT("As Refused has it."), OUTPUT(cause, STRING, NULLABLE),
	COMMENT("A sentence for people."), OUTPUT(reason, STRING, NULLABLE));

static SD_VARLINK_DEFINE_ERROR(NoUpdate, FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(UpdateInProgress, FIELD(update, STRING, NULLABLE),
			       FIELD(state, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NoSuchRegion, FIELD(owner, STRING, 0), FIELD(name, STRING, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionExists, FIELD(owner, STRING, 0), FIELD(name, STRING, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionLost, FIELD(owner, STRING, 0), FIELD(name, STRING, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionDamaged, FIELD(owner, STRING, 0), FIELD(name, STRING, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(LimitReached, FIELD(limit, INT, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(
	Refused,
	COMMENT("participant, region, memory, kernel, timeout, record, interrupted, internal."),
	FIELD(cause, STRING, 0), FIELD(owner, STRING, NULLABLE), FIELD(region, STRING, NULLABLE),
	FIELD(message, STRING, 0));

SD_VARLINK_DEFINE_INTERFACE(
	io_kho_Manager, "io.kho.Manager",
	SD_VARLINK_INTERFACE_COMMENT("Live updates of the kernel, for root alone. Since 0.1."),
	SD_VARLINK_SYMBOL_COMMENT("A region and what became of it."), &vl_type_RegionStatus,
	SD_VARLINK_SYMBOL_COMMENT("A connection that takes part in updates."), &vl_type_Participant,
	SD_VARLINK_SYMBOL_COMMENT("A step of an update."), &vl_type_Moment,
	SD_VARLINK_SYMBOL_COMMENT("How far a call has come."), &vl_type_Progress,
	SD_VARLINK_SYMBOL_COMMENT("Memory that a unit keeps in its fd store with PID 1, and that "
				  "the update loses."),
	&vl_type_NotCarried, SD_VARLINK_SYMBOL_COMMENT("What is going on. Errors: none."),
	&vl_method_Status, SD_VARLINK_SYMBOL_COMMENT("The regions of all owners. Errors: none."),
	&vl_method_List,
	SD_VARLINK_SYMBOL_COMMENT(
		"Begins an update: checks, asks participants, preserves every region. The update "
		"belongs to the caller's connection until Staged: if it breaks, khod aborts. Errors: "
		"Refused, UpdateInProgress."),
	&vl_method_Prepare, SD_VARLINK_SYMBOL_COMMENT("How a region would go."),
	&vl_type_PlannedRegion,
	SD_VARLINK_SYMBOL_COMMENT("What Prepare would decide now: no service is asked, nothing is "
				  "preserved or written. Errors: UpdateInProgress."),
	&vl_method_Plan,
	SD_VARLINK_SYMBOL_COMMENT("Copies on disk that no update in progress, and no region that "
				  "waits for its owner, has a use for."),
	&vl_type_Leftover,
	SD_VARLINK_SYMBOL_COMMENT(
		"Looks for such copies, in the standard and the configured spool."),
	&vl_method_Leftovers, SD_VARLINK_SYMBOL_COMMENT("Removes them for good. Errors: NoUpdate."),
	&vl_method_DropLeftover,
	SD_VARLINK_SYMBOL_COMMENT(
		"Says that the next kernel is loaded. Errors: NoUpdate, Refused (the "
		"kernel says that nothing is loaded; the update is aborted)."),
	&vl_method_Staged,
	SD_VARLINK_SYMBOL_COMMENT(
		"Stops the participants, takes digests, writes the ledger. After the reply the caller "
		"calls reboot(2), and Abort if that returns. If its connection breaks instead, khod "
		"aborts. Of a committed update this is the last step of the shutdown, and nothing "
		"of it can be refused. Errors: NoUpdate, UpdateInProgress, Refused."),
	&vl_method_Freeze,
	SD_VARLINK_SYMBOL_COMMENT(
		"Says that an orderly shutdown into the staged kernel is about to begin. The ledger "
		"is on disk at the reply, and from there nobody can refuse; until then the update "
		"is the caller's: if its connection breaks, khod aborts. Services run on until they "
		"are stopped, and the last of them are frozen by Freeze. Errors: NoUpdate, Refused, "
		"UpdateInProgress."),
	&vl_method_Commit,
	SD_VARLINK_SYMBOL_COMMENT(
		"Says that the machine goes down, as logind does where there is one. With kexec, "
		"what is staged is committed, and if nothing is, what can be kept is; otherwise "
		"what will be lost is written down. Replies at once. Errors: none."),
	&vl_method_ShutDown,
	SD_VARLINK_SYMBOL_COMMENT(
		"Undoes everything since Prepare, and replies when the kernel has "
		"let go of all memory. Errors: NoUpdate (another update than the "
		"named one is in progress), UpdateInProgress (it is committed)."),
	&vl_method_Abort,
	SD_VARLINK_SYMBOL_COMMENT("The last update that went through a kexec. Errors: none."),
	&vl_method_Report, SD_VARLINK_SYMBOL_COMMENT("The registry as it stands. Errors: none."),
	&vl_method_Tree,
	SD_VARLINK_SYMBOL_COMMENT("Waits for restoring to end and for every required region that "
				  "arrived to be claimed. Errors: none."),
	&vl_method_Wait,
	SD_VARLINK_SYMBOL_COMMENT(
		"Forgets a region in place of its owner, or the record of a lost one. Errors: "
		"NoSuchRegion, UpdateInProgress."),
	&vl_method_Drop,
	SD_VARLINK_SYMBOL_COMMENT(
		"The memory of a region, in place of its owner. Nothing changes: it stays kept, and "
		"its owner's to claim. Errors: NoSuchRegion, RegionLost, RegionDamaged, "
		"UpdateInProgress (it is still being restored)."),
	&vl_method_Take,
	SD_VARLINK_SYMBOL_COMMENT(
		"Makes a region another owner's, unclaimed. Errors: NoSuchRegion, RegionExists, "
		"RegionLost, UpdateInProgress."),
	&vl_method_Give,
	SD_VARLINK_SYMBOL_COMMENT(
		"Follows what happens, without end. Who reads too slowly is cut off. Errors: "
		"LimitReached."),
	&vl_method_Monitor, SD_VARLINK_SYMBOL_COMMENT("There is no such update."),
	&vl_error_NoUpdate, SD_VARLINK_SYMBOL_COMMENT("That owner has no region of that name."),
	&vl_error_NoSuchRegion,
	SD_VARLINK_SYMBOL_COMMENT("That owner has a region of that name already."),
	&vl_error_RegionExists, SD_VARLINK_SYMBOL_COMMENT("Too many connections follow already."),
	&vl_error_LimitReached, SD_VARLINK_SYMBOL_COMMENT("The region did not arrive."),
	&vl_error_RegionLost, SD_VARLINK_SYMBOL_COMMENT("The region arrived with another content."),
	&vl_error_RegionDamaged,
	SD_VARLINK_SYMBOL_COMMENT("An update is in a state that does not allow this."),
	&vl_error_UpdateInProgress,
	SD_VARLINK_SYMBOL_COMMENT("The update does not happen, and nothing has changed."),
	&vl_error_Refused);
