#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian packages of this build and installs the server's in a bare Debian 12: what it needs comes with it, the
# unit is in order, the server starts as the unit says and answers the CLI, and its removal leaves nothing.
# Usage: package_test.sh BUILD_FOLDER
set -euo pipefail

build=$1
here=$(dirname "$0")
work=$(mktemp -d "${TMPDIR:-/tmp}/grove-package.XXXXXX")
root=$work/root
server_pid=

# shellcheck source-path=SCRIPTDIR source=debian_root.sh disable=SC1091
. "$here/debian_root.sh"

tear_down() {
  [ -z "$server_pid" ] || kill -KILL "$server_pid" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap tear_down EXIT

skip() {
  echo "SKIPPED, the packages are NOT TESTED: $*" >&2
  exit 77
}

# Runs a command in the bare Debian, which has its /proc for as long as that runs. Ends with this script at the latest.
# shellcheck disable=SC2016 # The inner shell expands that.
in_root=(setpriv --pdeathsig KILL unshare --mount -- sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root")
inside() { "${in_root[@]}" "$@"; }

apt() { inside env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=5 -o Dpkg::Use-Pty=0 "$@" >>"$work/apt.log" 2>&1; }

apt_or_fail() { apt "$@" || { tail -n 30 "$work/apt.log" >&2; fail "apt-get $*"; }; }

field() { dpkg-deb --field "$1" "$2"; }

expect_match() { # expect_match WHAT EXPRESSION TEXT
  grep -Eq "$2" <<<"$3" || fail "$1: nothing like '$2' in: $3"
}

make_packages() {
  local file files
  (cd "$build" && cpack -G DEB -B "$work/packages") >"$work/cpack.log" 2>&1 || { tail -n 30 "$work/cpack.log" >&2; fail cpack; }
  server_package=$(find "$work/packages" -maxdepth 1 -name 'grove_*.deb')
  dev_package=$(find "$work/packages" -maxdepth 1 -name 'grove-dev_*.deb')
  for file in "$server_package" "$dev_package"; do
    [ -f "$file" ] || fail "cpack made $(ls "$work/packages")"
  done
  expect_match "Depends of grove" 'libprotobuf32.*' "$(field "$server_package" Depends)"
  expect_match "Depends of grove" 'libc6 \(>= 2\.' "$(field "$server_package" Depends)"
  expect_match "Depends of grove-dev" 'libprotobuf-dev' "$(field "$dev_package" Depends)"
  files=$(dpkg-deb --contents "$server_package" | awk '{ print $6 }')
  for file in usr/bin/grove usr/bin/grove-server usr/bin/grove-worker usr/lib/systemd/system/grove.service \
    etc/grove/grove.toml usr/share/bash-completion/completions/grove usr/share/zsh/vendor-completions/_grove \
    usr/share/fish/vendor_completions.d/grove.fish usr/share/doc/grove/copyright; do
    grep -Fxq "./$file" <<<"$files" || fail "grove has no $file"
  done
  ! grep -E '\.(h|a|cmake|proto)$|protoc' <<<"$files" || fail "grove has files of grove-dev"
  expect_match "grove-dev" 'usr/include/grove/client/client\.h' "$(dpkg-deb --contents "$dev_package")"
  expect_match "grove-dev" 'usr/bin/protoc-gen-grove' "$(dpkg-deb --contents "$dev_package")"
  echo "ok: $(basename "$server_package") needs $(field "$server_package" Depends)"
}

make_root() {
  provide_debian_tarball
  mkdir "$root"
  tar -C "$root" -xf "$debian_tarball"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  inside true 2>/dev/null || skip "nothing can be mounted here, and the server needs /proc"
  apt update || skip "no mirror of Debian answers"
}

install_package() {
  cp "$server_package" "$root/root/grove.deb"
  apt_or_fail install -y --no-install-recommends /root/grove.deb
  rm "$root/root/grove.deb"
  [ -z "$(inside dpkg --audit)" ] || fail "dpkg --audit: $(inside dpkg --audit)"
  [ -L "$root/etc/systemd/system/multi-user.target.wants/grove.service" ] || fail "the unit is not enabled"
  echo "ok: installed: $(inside grove --version)"
}

judge_unit() {
  need systemd-analyze systemd
  local said
  apt_or_fail install -y --no-install-recommends systemd
  said=$(inside systemd-analyze verify --man=no /usr/lib/systemd/system/grove.service 2>&1) || fail "systemd-analyze verify: $said"
  [ -z "$said" ] || fail "systemd-analyze verify: $said"
  echo "ok: systemd-analyze verify has no complaint"
}

# Starts what the unit starts, as its user could be, on free ports, and listens as systemd would.
start_as_the_unit_says() {
  local words
  words=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/grove.service")
  python3 -B "$here/notify_listener.py" "$root/run/notify" "$work/told" READY=1 &
  local listener=$!
  until [ -S "$root/run/notify" ]; do
    kill -0 "$listener" 2>/dev/null || fail "nobody listens for the server"
    sleep 0.1
  done
  chmod 777 "$root/run/notify"
  # shellcheck disable=SC2086 # The words of a command.
  "${in_root[@]}" setpriv --reuid 61184 --regid 61184 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
    env -i NOTIFY_SOCKET=/run/notify GROVE_HANG_TIMEOUT=30s GROVE_PIN=off $words --listen 127.0.0.1:0 \
    --admin 127.0.0.1:0 >"$work/log" 2>&1 &
  server_pid=$!
  wait "$listener" || { cat "$work/log" >&2; fail "the server does not say that it is ready"; }
  address=$(sed -n 's/.* serves\{0,1\} \(127\.0\.0\.1:[0-9]*\) (admin.*/\1/p' "$work/log" | sed -n 1p)
  echo "ok: it says READY=1 and serves $address"
}

talk() {
  local said
  said=$(inside grove --server "$address" ps) || fail "grove ps"
  expect_match "grove ps" 'WORKER.*PID' "$said"
  said=$(inside grove --server "$address" call grove.Counter/visits Add '{"by":2}')
  [ "$said" = '{"value":"2"}' ] || fail "grove call: $said"
  echo "ok: grove ps and grove call answer"
}

stop() {
  local status=0
  kill -TERM "$server_pid"
  wait "$server_pid" || status=$?
  server_pid=
  [ "$status" = 0 ] || { cat "$work/log" >&2; fail "TERM ends the server with $status"; }
}

# Its files, links and directories; dpkg's and apt's own books of what has been are not ours.
traces() {
  (cd "$root" && find . -xdev -ipath '*grove*' ! -path './var/lib/dpkg/*' ! -path './var/cache/*' ! -path './var/log/*' ! -path './proc/*' | sort)
}

remove() {
  apt_or_fail remove -y grove
  ! traces | grep -Ev '^\./etc/grove(/grove\.toml)?$' ||
    fail "removal leaves more than the configuration"
  apt_or_fail purge -y grove
  [ -z "$(traces)" ] || fail "purging leaves: $(traces)"
  grep -q grove "$root/etc/passwd" && fail "purging leaves a user"
  echo "ok: removal leaves the configuration, purging nothing"
}

[ "$(id -u)" = 0 ] || skip "only root can make a bare Debian"
need dpkg-shlibdeps dpkg-dev
need file file
make_packages
make_root
install_package
judge_unit
start_as_the_unit_says
talk
stop
remove
echo "package_test: passed"
