# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Docker engine and a base image for the tests of the image. Sourced by docker_test.sh, which sets `work`, a folder
# that it removes at its end.
#
# An engine that runs already is used as it is. Otherwise one of our own is started from Debian's packages, away from
# anything that is the machine's: its own socket, pid file and folders, no firewall rules. Ports that it publishes on
# loopback are carried by its proxy process, and builds use the machine's network. Its store of layers is kept in the
# cache folder, so that a second run need not install the compiler again.

: "${work:?the folder for what the tests make}"
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=debian_root.sh disable=SC1091
. "$here/debian_root.sh"
engine_pid=
had_bridge=

# For a machine on which no engine can run at all; ctest counts it as skipped and says so.
skip() {
  echo "SKIPPED, the image is NOT TESTED: $*" >&2
  exit 77
}

# wait_until SECONDS WHAT COMMAND...: polls, and fails by name when the time is over.
wait_until() {
  local seconds=$1 what=$2
  shift 2
  local end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "not within ${seconds} s: $what"
    sleep 0.1
  done
}

engine_answers_or_ended() { docker info || ! kill -0 "$engine_pid"; }

start_engine() {
  need docker docker.io
  need docker-compose docker-compose
  if docker info >/dev/null 2>&1; then
    echo "engine: the one that runs here"
    return
  fi
  need dockerd docker.io
  need containerd containerd
  need setpriv util-linux
  need ip iproute2
  grep -q ' /sys/fs/cgroup' /proc/self/mounts || skip "no control groups are mounted here, and no engine runs without them"
  [ "$(id -u)" = 0 ] || fail "no Docker engine runs here, and only root can start one"
  mkdir -p "$cache/docker"
  exec 9>"$cache/docker.lock"
  flock --timeout 2400 9 || fail "another run has used the engine's store for forty minutes"
  # The bridge is the network namespace's, whichever store a run has, and who ends first would take it from the other.
  exec 8</proc/self/ns/net
  flock --timeout 2400 8 || fail "another run has used the bridge docker0 for forty minutes"
  [ -e /sys/class/net/docker0 ] && had_bridge=yes
  export DOCKER_HOST="unix://$work/docker.sock"
  # It gets TERM too when this script is killed.
  setpriv --pdeathsig TERM dockerd --host "$DOCKER_HOST" --pidfile "$work/docker.pid" \
    --data-root "$cache/docker" --exec-root "$work/exec" --log-level warn \
    --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
    >"$work/dockerd.log" 2>&1 9>&- 8<&- &
  engine_pid=$!
  wait_until 180 "dockerd answers" engine_answers_or_ended
  docker info >/dev/null 2>&1 || { tail -n 20 "$work/dockerd.log" >&2; fail "dockerd ended as it started"; }
  echo "engine: our own, $(docker version --format '{{.Server.Version}}'), $(docker info --format '{{.Driver}}')"
}

stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill -TERM "$engine_pid" 2>/dev/null
  wait "$engine_pid" 2>/dev/null
  engine_pid=
  # What it leaves: the network namespace of containers that used the machine's, and its bridge.
  if [ -e "$work/exec/netns/default" ]; then
    umount "$work/exec/netns/default" 2>/dev/null
  fi
  if [ -z "$had_bridge" ]; then
    ip link delete docker0 2>/dev/null
  fi
  return 0
}

# Whether the engine can start a program inside a running container. Not from within chroot: what enters a mount
# namespace lands at the namespace's own root, which is then another than the one that the engine sees.
can_enter_containers() {
  [ -z "$engine_pid" ] ||
    [ "$(nsenter --mount=/proc/self/ns/mnt stat --format %d:%i /)" = "$(stat --format %d:%i /)" ]
}

# The image debian:12; the bare Debian of debian_root.sh when the engine has none.
provide_debian() {
  if docker image inspect debian:12 >/dev/null 2>&1; then
    return
  fi
  if [ -z "$engine_pid" ] && timeout 120 docker pull --quiet debian:12 >/dev/null 2>&1; then
    return
  fi
  provide_debian_tarball
  docker import "$debian_tarball" debian:12 >/dev/null
}
