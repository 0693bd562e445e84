/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/varlink-io.kho.Handover.h"

#define COMMENT(text) SD_VARLINK_FIELD_COMMENT(text)
#define NULLABLE SD_VARLINK_NULLABLE
#define INPUT(name, type, flags) SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_##type, flags)
#define OUTPUT(name, type, flags) SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_##type, flags)
#define FIELD(name, type, flags) SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_##type, flags)

static SD_VARLINK_DEFINE_ENUM_TYPE(
	Check, COMMENT("Not from an earlier kernel, so there is nothing to compare."),
	SD_VARLINK_DEFINE_ENUM_VALUE(new),
	COMMENT("Arrived, and the content is what it was at the freeze: the digests agree."),
	SD_VARLINK_DEFINE_ENUM_VALUE(verified),
	COMMENT("Arrived, but no digest was taken: too large, switched off, or the owner had not "
		"acknowledged the freeze and may have gone on writing."),
	SD_VARLINK_DEFINE_ENUM_VALUE(unchecked),
	COMMENT("Arrived, but the content is not what it was at the freeze."),
	SD_VARLINK_DEFINE_ENUM_VALUE(damaged), COMMENT("Did not arrive."),
	SD_VARLINK_DEFINE_ENUM_VALUE(lost));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Region, COMMENT("Unique within its owner, 1 to 255 bytes, no control characters."),
	FIELD(name, STRING, 0),
	COMMENT("The systemd unit of the peer (cache.service), uid:N/UNIT for a unit of a user "
		"manager, uid:N for anything else. Resolved by the kernel and systemd when the peer "
		"connects; never what the peer says."),
	FIELD(owner, STRING, 0), COMMENT("Bytes."), FIELD(size, INT, 0),
	COMMENT("What the memory is, as kho-memdesc(7) spells it: file, file,order=9 …"),
	FIELD(memdesc, STRING, 0),
	COMMENT("An update that can't keep a required region does not happen. A user's region is "
		"never required, unless khod runs with --user-veto."),
	FIELD(required, BOOL, 0),
	COMMENT("Whether the owner holds it now: it registered it, or claimed it in this boot."),
	FIELD(claimed, BOOL, 0), SD_VARLINK_DEFINE_FIELD_BY_TYPE(check, Check, 0),
	COMMENT("Why, if check is damaged or lost."), FIELD(reason, STRING, NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
	Event,
	COMMENT("First reply to Watch; says which participant this connection is from now on."),
	SD_VARLINK_DEFINE_ENUM_VALUE(watching),
	COMMENT("An update is being prepared. Register what else is to be kept, then Acknowledge: "
		"this is the moment to refuse."),
	SD_VARLINK_DEFINE_ENUM_VALUE(prepare),
	COMMENT("Stop writing to the regions, then Acknowledge. What is written later may be lost."),
	SD_VARLINK_DEFINE_ENUM_VALUE(freeze),
	COMMENT("The update does not happen: everything goes on as before."),
	SD_VARLINK_DEFINE_ENUM_VALUE(resume),
	COMMENT("The machine goes down, and takes along what is registered until the end. The service "
		"manager stops this service, or freeze comes last. Not to be answered."),
	SD_VARLINK_DEFINE_ENUM_VALUE(committed));

static SD_VARLINK_DEFINE_ENUM_TYPE(Phase, SD_VARLINK_DEFINE_ENUM_VALUE(prepare),
				   SD_VARLINK_DEFINE_ENUM_VALUE(freeze));

static SD_VARLINK_DEFINE_METHOD(
	Register, COMMENT("1 to 255 bytes, no control characters."), INPUT(name, STRING, 0),
	COMMENT("Index of the memory's fd among those sent with this call. khod keeps a duplicate."),
	INPUT(memoryFileDescriptor, INT, 0),
	COMMENT("What the caller says the memory is; checked against what the kernel says. Default: "
		"file, a memfd's."),
	INPUT(memdesc, STRING, NULLABLE), COMMENT("Default: true."),
	INPUT(required, BOOL, NULLABLE), SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(region, Region, 0));

static SD_VARLINK_DEFINE_METHOD(
	Unregister,
	COMMENT("Name of a region of the caller's. Also ends the record of a lost region."),
	INPUT(name, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	Claim, COMMENT("Name of a region of the caller's."), INPUT(name, STRING, 0),
	COMMENT("Take it although its content is known to be damaged. Default: false."),
	INPUT(damaged, BOOL, NULLABLE),
	COMMENT("Index of the memory's fd among those that come with the reply; the caller's to close. "
		"It shares its file position with khod's."),
	OUTPUT(memoryFileDescriptor, INT, 0), SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(region, Region, 0));

static SD_VARLINK_DEFINE_METHOD(Release, COMMENT("Name of a region of the caller's."),
				INPUT(name, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	List, COMMENT("All regions of the caller's owner, the lost ones of the last update too."),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(regions, Region, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	Watch, SD_VARLINK_REQUIRES_MORE,
	COMMENT("Whether a refusal, or no answer in time, stops the update (true, the default), or "
		"only leaves the participant behind. A user's is never required, unless khod runs "
		"with --user-veto."),
	INPUT(required, BOOL, NULLABLE),
	COMMENT("Owners, as Region.owner spells them, whose participants are told freeze only after "
		"this one has answered it. 64 at most; those who do not take part are passed over. A "
		"user can name only its own."),
	INPUT(freezeBefore, STRING, NULLABLE | SD_VARLINK_ARRAY),
	COMMENT("Owners whose participants have to have answered freeze before this one is told."),
	INPUT(freezeAfter, STRING, NULLABLE | SD_VARLINK_ARRAY),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, 0),
	COMMENT("Number of this participant, for Acknowledge."), OUTPUT(participant, INT, 0),
	COMMENT("The update's id; not with watching."), OUTPUT(update, STRING, NULLABLE),
	COMMENT("Microseconds left to acknowledge; with prepare and freeze, unless nobody waits for "
		"the answer any more. ExtendTimeout may get more."),
	OUTPUT(timeoutUSec, INT, NULLABLE),
	COMMENT("With prepare and freeze. in-place: what is written until the reboot crosses. copy: "
		"what the caller has is copied once all have acknowledged the freeze, which takes "
		"time, and what it writes later is lost."),
	OUTPUT(manner, STRING, NULLABLE),
	COMMENT("Why; with resume. What concerns other owners is told to root alone."),
	OUTPUT(reason, STRING, NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
	Acknowledge, COMMENT("As Watch gave it; must be of the caller's owner."),
	INPUT(participant, INT, 0), COMMENT("As the event gave it."), INPUT(update, STRING, 0),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(phase, Phase, 0),
	COMMENT("False refuses: with prepare, or freeze of an update by kexec -e."),
	INPUT(accept, BOOL, 0), COMMENT("Shown to the operator."), INPUT(reason, STRING, NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
	ExtendTimeout, COMMENT("As for Acknowledge."), INPUT(participant, INT, 0),
	COMMENT("As the event gave it."), INPUT(update, STRING, 0),
	SD_VARLINK_DEFINE_INPUT_BY_TYPE(phase, Phase, 0),
	COMMENT("Microseconds from now that the caller needs to answer."),
	INPUT(timeoutUSec, INT, 0), COMMENT("Shown to the operator."),
	INPUT(reason, STRING, NULLABLE),
	COMMENT("Microseconds from now that it has: no more than the operator allows all "
		"participants together, and no less than it had."),
	OUTPUT(timeoutUSec, INT, 0));

static SD_VARLINK_DEFINE_ERROR(NoSuchRegion, FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionExists, FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(InvalidName, FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(DuplicateMemory, COMMENT("The region that keeps it already."),
			       FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(
	UnsupportedMemory,
	COMMENT("What the memory is: anonymous, hugetlb, pipe, regular-file, device …"),
	FIELD(kind, STRING, 0), COMMENT("Says what to do instead."), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(MemdescMismatch, FIELD(declared, STRING, 0),
			       FIELD(actual, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(LimitReached, FIELD(limit, INT, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionLost, FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RegionDamaged, FIELD(name, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(UpdateInProgress, FIELD(update, STRING, 0), FIELD(state, STRING, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NoSuchParticipant, FIELD(participant, INT, 0),
			       FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(AlreadyExtended, FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(OrderCycle, COMMENT("a → b → a: each freezes before the next."),
			       FIELD(cycle, STRING, 0), FIELD(message, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(OrderNotAllowed, FIELD(message, STRING, 0));

SD_VARLINK_DEFINE_INTERFACE(
	io_kho_Handover, "io.kho.Handover",
	SD_VARLINK_INTERFACE_COMMENT(
		"Memory that a service keeps across a live update of the kernel. Since 0.1. A unit of "
		"the system, and root outside of units, may have 1,024 regions and 1,024 connections; "
		"a user, with all of its units, 256 regions of together half of the machine's memory, "
		"and 64 connections. Oneway calls are not carried out, and who does not read its "
		"answers is disconnected."),
	SD_VARLINK_SYMBOL_COMMENT("What is known about a region's content after an update."),
	&vl_type_Check,
	SD_VARLINK_SYMBOL_COMMENT("A piece of memory that is handed from kernel to kernel."),
	&vl_type_Region, SD_VARLINK_SYMBOL_COMMENT("What Watch tells."), &vl_type_Event,
	SD_VARLINK_SYMBOL_COMMENT("What Acknowledge answers."), &vl_type_Phase,
	SD_VARLINK_SYMBOL_COMMENT(
		"Asks to keep a memfd in every update from now on. When the reply is there, khod has "
		"it in custody: the caller may die. Errors: RegionExists, InvalidName, "
		"DuplicateMemory, UnsupportedMemory, MemdescMismatch, LimitReached, RegionLost, "
		"UpdateInProgress."),
	&vl_method_Register,
	SD_VARLINK_SYMBOL_COMMENT("Ends the keeping of a region; khod closes its fd. Errors: "
				  "NoSuchRegion, UpdateInProgress."),
	&vl_method_Unregister,
	SD_VARLINK_SYMBOL_COMMENT(
		"Takes a region that arrived from the previous kernel, or that an earlier process of "
		"the same owner registered. It stays registered: the next update keeps it again. "
		"Errors: NoSuchRegion, RegionLost, RegionDamaged."),
	&vl_method_Claim,
	SD_VARLINK_SYMBOL_COMMENT("Gives a claim back: the region stays kept, and can be claimed "
				  "anew. Errors: NoSuchRegion."),
	&vl_method_Release, SD_VARLINK_SYMBOL_COMMENT("Lists the caller's regions."),
	&vl_method_List,
	SD_VARLINK_SYMBOL_COMMENT(
		"Takes part in updates: the connection stays open and tells of each step. A "
		"participant that closes it is one no longer. Errors: OrderCycle, OrderNotAllowed."),
	&vl_method_Watch,
	SD_VARLINK_SYMBOL_COMMENT("Answers prepare or freeze, on another connection than Watch's. "
				  "Errors: NoSuchParticipant, UpdateInProgress."),
	&vl_method_Acknowledge,
	SD_VARLINK_SYMBOL_COMMENT(
		"Asks for more time to answer prepare or freeze, once each. It counts from now. "
		"Errors: NoSuchParticipant, UpdateInProgress (nothing is asked, or nobody waits for "
		"the answer), AlreadyExtended."),
	&vl_method_ExtendTimeout,
	SD_VARLINK_SYMBOL_COMMENT("The caller's owner has no region of that name."),
	&vl_error_NoSuchRegion,
	SD_VARLINK_SYMBOL_COMMENT("The caller's owner has a region of that name: Claim it."),
	&vl_error_RegionExists, SD_VARLINK_SYMBOL_COMMENT("Not a name for a region."),
	&vl_error_InvalidName, SD_VARLINK_SYMBOL_COMMENT("The same memory is registered already."),
	&vl_error_DuplicateMemory,
	SD_VARLINK_SYMBOL_COMMENT("Memory of this kind can't be handed over."),
	&vl_error_UnsupportedMemory,
	SD_VARLINK_SYMBOL_COMMENT("The memory is not what the caller says it is."),
	&vl_error_MemdescMismatch,
	SD_VARLINK_SYMBOL_COMMENT(
		"Too many regions or bytes, of the host or of this owner or user."),
	&vl_error_LimitReached,
	SD_VARLINK_SYMBOL_COMMENT("The region was to be kept, and did not arrive. Unregister ends "
				  "the record, and the name is free again."),
	&vl_error_RegionLost,
	SD_VARLINK_SYMBOL_COMMENT(
		"The region arrived with another content than it left with. Claim "
		"it with damaged=true, or Unregister it."),
	&vl_error_RegionDamaged, SD_VARLINK_SYMBOL_COMMENT("Not while an update is in this state."),
	&vl_error_UpdateInProgress,
	SD_VARLINK_SYMBOL_COMMENT("The caller's owner has no such participant."),
	&vl_error_NoSuchParticipant,
	SD_VARLINK_SYMBOL_COMMENT("The participant has asked for more time in this phase already."),
	&vl_error_AlreadyExtended,
	SD_VARLINK_SYMBOL_COMMENT("Participants could not freeze in any order that all have asked "
				  "for; names of whom nobody takes part count too."),
	&vl_error_OrderCycle,
	SD_VARLINK_SYMBOL_COMMENT("A user can't have others wait for its participants."),
	&vl_error_OrderNotAllowed);
