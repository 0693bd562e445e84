/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "kho/cli/pid1.h"
#include "kho/client/format.h"
#include "kho/core/cleanup.h"

#define CALL_TIMEOUT_USEC (5 * UINT64_C(1000000))

static int get(sd_bus *bus, const char *property, char type, void *ret)
{
	return sd_bus_get_property_trivial(
		bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", property, NULL, type, ret);
}

/* A systemd that does not have a property has none of them. */
static int read_properties(sd_bus *bus, struct pid1 *ret)
{
	uint32_t count = 0;
	int r = get(bus, "KExecCount", 'u', &count);

	if (r >= 0)
		r = get(bus, "PreviousShutdownStartTimestamp", 't', &ret->shutdown_start);
	if (r >= 0)
		r = get(bus, "PreviousShutdownFinishTimestamp", 't', &ret->shutdown_finish);
	if (r >= 0)
		r = get(bus, "PreviousShutdownLateStartTimestamp", 't', &ret->late_start);
	if (r >= 0)
		r = get(bus, "PreviousShutdownLateFinishTimestamp", 't', &ret->late_finish);
	ret->kexec_count = count;
	return r;
}

int pid1_ask(struct pid1 *ret)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	int r;

	*ret = (struct pid1){};
	if (sd_booted() <= 0)
		return -ENODATA;
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
	if (r >= 0)
		r = read_properties(bus, ret);
	return r;
}

static int add_moment(sd_json_variant **object, const char *name, uint64_t usec)
{
	return usec ? sd_json_variant_set_field_unsigned(object, name, usec) : 0;
}

int pid1_add_json(const struct pid1 *pid1, sd_json_variant **report)
{
	sd_json_variant *object = NULL;
	int r = sd_json_variant_set_field_unsigned(&object, "kexecCount", pid1->kexec_count);

	if (r >= 0)
		r = add_moment(&object, "shutdownStartUSec", pid1->shutdown_start);
	if (r >= 0)
		r = add_moment(&object, "shutdownFinishUSec", pid1->shutdown_finish);
	if (r >= 0)
		r = add_moment(&object, "shutdownLateStartUSec", pid1->late_start);
	if (r >= 0)
		r = add_moment(&object, "shutdownLateFinishUSec", pid1->late_finish);
	if (r >= 0)
		r = sd_json_variant_set_field(report, "systemd", object);
	sd_json_variant_unref(object);
	return r;
}

/* Where there is no memory for it, the line ends earlier. */
static void add_span(char **line, const char *words, uint64_t start, uint64_t finish)
{
	char span[FORMAT_DURATION_MAX], *longer;

	if (!*line || !start || finish < start ||
	    asprintf(&longer, "%s, %s %s", *line, words, format_duration(finish - start, span)) < 0)
		return;
	free(*line);
	*line = longer;
}

static char *count_line(const struct pid1 *pid1, uint64_t counted)
{
	char *line;
	int r;

	if (!counted || counted == pid1->kexec_count)
		r = asprintf(&line, "kexec %" PRIu64, pid1->kexec_count);
	else
		r = asprintf(&line,
			     "kexec %" PRIu64 ", and the kernel counts %" PRIu64
			     ": PID 1 knows only of those that systemd-shutdown handed over",
			     pid1->kexec_count, counted);
	return r < 0 ? NULL : line;
}

char *pid1_line(const struct pid1 *pid1, uint64_t counted)
{
	char *line = count_line(pid1, counted);

	add_span(&line, "units stopped in", pid1->shutdown_start, pid1->shutdown_finish);
	add_span(&line, "systemd-shutdown took", pid1->late_start, pid1->late_finish);
	return line;
}
