#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# about: status, list, tree and report: --json holds the facts, the timeline is in order, the downtime adds up
# timeout: 600
. "$LAB"

# facts COMMAND... <<<ASSERTIONS: runs python assertions over d, the command's JSON.
facts() {
	local output status=0

	output=$("$@" --json) || status=$?
	[ $status = "${EXPECT:-0}" ] || fail "$*: exit $status: $output"
	KHO_JSON=$output python3 -c '
import json, os, sys
d = json.loads(os.environ["KHO_JSON"])
for line in sys.stdin:
	if line.strip() and not eval(line):
		print(json.dumps(d, indent=1))
		sys.exit("not so: " + line.strip())
' || fail "$*"
}

show() {
	say "\$ $*"
	"$@"
}

say "=== boot $BOOT"
start_khod
case $BOOT in
0)
	facts kho status <<-EOF2
		d["state"] == "idle"
		d["regions"] == 0 and d["size"] == 0
		d["luo"] is True and "luoReason" not in d
		d["kho"] == "stateless"
		d["kernelRelease"] == "$(uname -r)"
		d["participants"] == [] and d["problems"] == []
		d["kexecLoaded"] is False and d.get("update") is None
	EOF2
	facts kho list <<<'d["regions"] == []'
	facts kho report <<<'"result" not in d'
	show kho report

	head -c 5000000 /dev/urandom >/root/big
	kho put big </root/big || fail "kho put big"
	printf 'name with spaces' | kho put 'a name, with "quotes" and ü' || fail "kho put of an odd name"
	: | kho put --optional empty || fail "kho put empty"
	facts kho list <<-'EOF2'
		[r["name"] for r in d["regions"]] == ['a name, with "quotes" and ü', "big", "empty"]
		[r["size"] for r in d["regions"]] == [16, 5000000, 0]
		{r["owner"] for r in d["regions"]} == {"uid:0"}
		[r["required"] for r in d["regions"]] == [True, True, False]
		all(r["check"] == "new" and r["memdesc"].startswith("file") for r in d["regions"])
	EOF2
	facts kho status <<<'d["regions"] == 3 and d["size"] == 5000016'
	show kho list
	show kho tree
	facts kho tree <<<'"big" in json.dumps(d) and "handover-v1" in json.dumps(d)'

	kexec --kho -l "$NEXT" --reuse-cmdline || fail "kexec --kho -l: exit $?"
	facts kho status <<-EOF2
		d["state"] == "staged"
		len(d["update"]) == 16
		d["image"] == "$NEXT"
		d["nextRelease"].endswith("-next")
		d["kexecLoaded"] is True
	EOF2
	show kho status
	facts kho list <<<'all(r["transport"] == "luo" for r in d["regions"])'
	kho status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["update"])' >/root/update
	date +%s%6N >/root/before
	kexec --kho -e || fail "kexec --kho -e: exit $?"
	;;
1)
	assert_match "$(uname -r)" '-next$'
	wait_for 30 sh -c 'kho status | grep -q "khod  *idle"'
	facts kho status <<<'d["state"] == "idle" and d["unclaimed"] == 3 and d["lost"] == 0 and d.get("update") is None'
	facts kho list --unclaimed <<<'len(d["regions"]) == 3'
	# Not claimed yet, so nobody can say how long it took.
	facts kho report <<-EOF2
		d["result"] == "restored"
		"downtimeUSec" not in d
		"first-claim" not in [m["event"] for m in d["timeline"]]
	EOF2
	show kho status

	assert_fails kho wait --timeout=1
	say "$OUTPUT"
	assert_eq "$STATUS" 6 "kho wait before anybody claims"
	kho get big | cmp - /root/big || fail "big has changed"
	sleep 1
	assert_eq "$(kho get 'a name, with "quotes" and ü')" 'name with spaces'
	show kho report
	facts kho report <<-EOF2
		d["update"] == "$(cat /root/update)"
		d["result"] == "restored"
		d["previousRelease"].endswith("-lab") and d["kernelRelease"] == "$(uname -r)"
		d["kexecCount"] == 1
		d["problems"] == []
		[m["event"] for m in d["timeline"]][:5] == ["prepare", "prepared", "staged", "freeze", "frozen"]
		[m["event"] for m in d["timeline"]][-5:] == ["kernel-start", "daemon-start", "restored", "first-claim", "last-claim"]
		[m["realtimeUSec"] for m in d["timeline"]] == sorted(m["realtimeUSec"] for m in d["timeline"])
		{m["event"]: m["realtimeUSec"] for m in d["timeline"]}["freeze"] > $(cat /root/before) > {m["event"]: m["realtimeUSec"] for m in d["timeline"]}["staged"]
		(lambda t: d["downtimeUSec"] == t["last-claim"] - t["freeze"])({m["event"]: m["realtimeUSec"] for m in d["timeline"]})
		(lambda t: t["last-claim"] - t["first-claim"] >= 900000)({m["event"]: m["realtimeUSec"] for m in d["timeline"]})
		{r["name"]: r["check"] for r in d["regions"]}["big"] == "verified"
		{r["name"]: r["claimed"] for r in d["regions"]} == {'a name, with "quotes" and ü': True, "big": True, "empty": False}
	EOF2
	assert_match "$(kho report)" 'downtime'
	show kho list
	facts kho status <<<'d["lost"] == 0'
	assert_ok kho wait --timeout=1
	;;
esac
