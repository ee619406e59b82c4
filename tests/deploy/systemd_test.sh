#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Has systemd judge the unit, and checks what the unit promises against the server of this build.
# Usage: systemd_test.sh SERVER: the program grove-server.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
server=$1
unit=$root/deploy/systemd/grove.service
# Tenths of systemd's exposure level: 0 is shut in, 100 is open. What is left is the network and the sockets it is for.
exposure_max=15
drain_seconds=25

# shellcheck source-path=SCRIPTDIR source=running_server.sh disable=SC1091
. "$here/running_server.sh"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
command -v systemd-analyze >/dev/null || fail "systemd-analyze is missing: apt-get install systemd"
command -v curl >/dev/null || fail "curl is missing: apt-get install curl"

value_of() { sed -n "s/^$1=//p" "$unit"; }

work=$(mktemp -d)
trap 'rm -rf "$work"; end_server' EXIT
sed "s,^ExecStart=/usr/bin/grove-server,ExecStart=$server," "$unit" >"$work/grove.service"
grep -q "^ExecStart=$server " "$work/grove.service" || fail "the unit starts something else than /usr/bin/grove-server"

complaints=$(systemd-analyze verify --man=no "$work/grove.service" 2>&1) || fail "systemd-analyze verify: $complaints"
[ -z "$complaints" ] || fail "systemd-analyze verify: $complaints"
echo "ok: systemd-analyze verify has no complaint"

judgement=$(systemd-analyze security --no-pager --offline=true "--threshold=$exposure_max" "$work/grove.service") ||
  fail "systemd-analyze security: $judgement"
echo "ok: $(tail -n 1 <<<"$judgement")"

[ "$(value_of TimeoutStopSec)" -ge $((drain_seconds + 5)) ] || fail "TimeoutStopSec cuts the drain short"
options=$("$server" --help)
grep -q "drain-timeout .*\[${drain_seconds}s\]" <<<"$options" || fail "the server's drain is not $drain_seconds s by default"
[ "$(value_of KillMode)" = mixed ] || fail "workers must not get TERM from systemd"
echo "ok: it stops after the drain"

status=0
"$server" --config "$work/no-such-file.toml" >/dev/null 2>&1 || status=$?
[ "$(value_of RestartPreventExitStatus)" = "$status" ] || fail "a wrong configuration exits with $status and is restarted"
echo "ok: a wrong configuration is not restarted"

start_server "$server" --config "$root/deploy/systemd/grove.toml"
stop_server || fail "TERM ends the server with $?"
echo "ok: the server takes the configuration, and ends with 0 at TERM"
