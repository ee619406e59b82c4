# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The unit under a real systemd, in a container that it boots: that the server runs in its sandbox can be seen in no
# other way. Sourced by docker_test.sh, whose engine, image and helpers it uses.

: "${work:?}" "${container:?}"

boot_systemd() { # boot_systemd NAME
  local context=$work/systemd
  mkdir -p "$context"
  cat >"$context/Dockerfile" <<EOF
FROM debian:12
RUN apt-get -o Acquire::Retries=5 update \\
 && apt-get -o Acquire::Retries=5 install -y --no-install-recommends systemd && rm -rf /var/lib/apt/lists/*
COPY --from=grove-build:test /src/build/packages/ /packages/
RUN apt-get -o Acquire::Retries=5 update \\
 && apt-get -o Acquire::Retries=5 install -y --no-install-recommends /packages/grove_*.deb && rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGRTMIN+3
EOF
  docker build --network=host --tag=grove-systemd:test "$context" >"$work/build.log" 2>&1 ||
    { tail -n 20 "$work/build.log" >&2; fail "docker build of a Debian with systemd"; }
  # What systemd itself needs to make sandboxes for its services. All of them at once (--privileged) may be more than
  # the machine has.
  local capabilities=() name
  for name in SYS_ADMIN SYS_CHROOT SYS_PTRACE SETPCAP SETFCAP DAC_READ_SEARCH NET_ADMIN SYS_NICE SYSLOG AUDIT_WRITE \
    SYS_TIME SYS_MODULE SYS_RAWIO SYS_BOOT WAKE_ALARM BLOCK_SUSPEND LINUX_IMMUTABLE SYS_TTY_CONFIG IPC_LOCK; do
    capabilities+=(--cap-add "$name")
  done
  docker run --detach --name "$1" "${capabilities[@]}" --env container=docker \
    --security-opt seccomp=unconfined --security-opt systempaths=unconfined \
    --tmpfs /run --tmpfs /run/lock --tmpfs /tmp --volume /sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:rw \
    grove-systemd:test /lib/systemd/systemd >/dev/null 2>"$work/run.err" ||
    { cat "$work/run.err" >&2; fail "docker run of systemd"; }
  wait_until 180 "systemd has booted" docker exec "$1" systemctl is-active --quiet multi-user.target
}

# value_in STATUS NAME: of the text of /proc/PID/status.
value_in() { awk -v name="$2:" '$1 == name { print $2 }' <<<"$1"; }

# fact CONTAINER PROPERTY: of the unit, as systemd has it.
fact() { docker exec "$1" systemctl show --value --property "$2" grove; }

run_under_systemd() {
  if ! can_enter_containers || [ ! -d /sys/fs/cgroup/systemd ]; then
    echo "NOT TESTED, because this is a chroot or has no systemd hierarchy of cgroup v1: the unit under systemd"
    return
  fi
  local box=$container-systemd
  boot_systemd "$box"
  # The package has enabled it. Once systemd calls it active it serves, because it says itself when it does.
  wait_until 180 "the service is active" docker exec "$box" systemctl is-active --quiet grove
  docker exec "$box" grove ps
  grep -q 'workers\{0,1\} up' <<<"$(fact "$box" StatusText)" || fail "it does not say how it is: $(fact "$box" StatusText)"
  [ "$(fact "$box" WatchdogTimestampMonotonic)" != 0 ] || fail "the watchdog hears nothing"
  expect "Add" '{"value":"2"}' "$(docker exec "$box" grove call grove.Counter/visits Add '{"by":2}')"

  local status
  status=$(docker exec "$box" cat "/proc/$(fact "$box" MainPID)/status")
  [ "$(value_in "$status" Uid)" -ge 61184 ] || fail "it does not run as a user of its own"
  expect "capabilities" 0000000000000000 "$(value_in "$status" CapBnd)"
  expect "no new privileges" 1 "$(value_in "$status" NoNewPrivs)"
  expect "system calls are filtered" 2 "$(value_in "$status" Seccomp)"

  docker exec "$box" systemctl stop grove
  expect "result of systemctl stop" "success 0" "$(fact "$box" Result) $(fact "$box" ExecMainStatus)"
  docker exec "$box" journalctl --unit grove --no-pager >"$work/journal"
  grep -q 'drained after' "$work/journal" || { cat "$work/journal" >&2; fail "the journal does not say that it drained"; }

  docker exec "$box" sh -c 'echo "no-such-setting = 1" >>/etc/grove/grove.toml && systemctl start grove' || true
  wait_until 180 "a wrong configuration ends the service" docker exec "$box" systemctl is-failed --quiet grove
  expect "a wrong configuration: exit code and restarts" "64 0" \
    "$(fact "$box" ExecMainStatus) $(fact "$box" NRestarts)"
  docker rm --force "$box" >/dev/null
}
