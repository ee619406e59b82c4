# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A server of this build on ports that the kernel chose. Sourced.
#   start_server PROGRAM ARGUMENT...   sets server_pid, address, admin_address; returns when it is ready
#   stop_server                        sends TERM and returns the server's exit code
# What it logs is in $server_log. The sourcing script's EXIT trap is set to end the server.

server_log=$(mktemp)
server_pid=
address=
admin_address=

end_server() {
  [ -z "$server_pid" ] || kill -KILL "$server_pid" 2>/dev/null || true
  rm -f "$server_log"
}
trap end_server EXIT

start_server() {
  # The variables of whoever runs the tests are not the server's.
  local unset=() name
  for name in $(compgen -e GROVE_); do
    unset+=("--unset=$name")
  done
  # A worker that a busy machine gives no time to is not replaced.
  env "${unset[@]}" GROVE_HANG_TIMEOUT=30s GROVE_START_TIMEOUT=60s GROVE_PIN=off "$@" --listen 127.0.0.1:0 --admin 127.0.0.1:0 >"$server_log" 2>&1 &
  server_pid=$!
  local end=$((SECONDS + 60))
  until admin_address=$(sed -n 's/.*admin[^0-9]*\(127\.0\.0\.1:[1-9][0-9]*\).*/\1/p' "$server_log" | sed -n 1p) &&
    [ -n "$admin_address" ] && curl --noproxy '*' --silent --fail --output /dev/null "http://$admin_address/readyz"; do
    if [ "$SECONDS" -ge "$end" ] || ! kill -0 "$server_pid" 2>/dev/null; then
      cat "$server_log" >&2
      echo "FAILED: the server is not ready: $*" >&2
      exit 1
    fi
    sleep 0.1
  done
  # shellcheck disable=SC2034 # for the script that sources this
  address=$(sed -n 's/.* serves\{0,1\} \(127\.0\.0\.1:[0-9]*\) (admin.*/\1/p' "$server_log" | sed -n 1p)
}

stop_server() {
  kill -TERM "$server_pid"
  local status=0
  wait "$server_pid" || status=$?
  server_pid=
  return "$status"
}
