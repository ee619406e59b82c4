# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A bare Debian 12 that debootstrap makes once and the cache keeps. Sourced, by scripts that set `work`, a folder that they
# remove at their end.

: "${work:?the folder for what the tests make}"
cache="${GROVE_CACHE:-$HOME/.cache/grove}"
debian_tarball="$cache/debian-12.tar"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || fail "$1 is missing: apt-get install $2"
}

# Thrice at most: it gives up for good at the first package that a mirror does not hand out.
make_debian() {
  local try
  for try in 1 2 3; do
    rm -rf "$work/debian"
    debootstrap --variant=minbase bookworm "$work/debian" >"$work/debootstrap.log" 2>&1 && return
    echo "debootstrap failed at try $try:" >&2
    tail -n 20 "$work/debootstrap.log" >&2
  done
  return 1
}

# Debian's packages and nothing else, with the suites for security and updates, in $debian_tarball.
provide_debian_tarball() {
  [ ! -s "$debian_tarball" ] || return 0
  need debootstrap debootstrap
  [ "$(id -u)" = 0 ] || fail "only root can make a bare Debian with debootstrap"
  echo "bare Debian: debootstrap"
  make_debian || fail "debootstrap"
  local list="$work/debian/etc/apt/sources.list" mirror
  mirror=$(awk '$1 == "deb" { print $2; exit }' "$list")
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s-security bookworm-security main\n' \
    "$mirror" "$mirror" "${mirror%/}" >"$list"
  mkdir -p "$cache"
  tar -C "$work/debian" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*_*' \
    --exclude='./etc/resolv.conf' --exclude='./etc/hostname' -cf "$debian_tarball.part.$$" .
  mv "$debian_tarball.part.$$" "$debian_tarball"
  rm -rf "$work/debian"
}
