# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev package`: Debian packages.
# Sourced by ../../dev, which defines root and the words for the person.

help_package() {
  cat <<'EOF'
Usage: ./dev package [--runtime]

Builds the release preset and makes Debian packages in build/packages:

  grove_VERSION_ARCHITECTURE.deb       grove-server with its workers, the CLI with its completions, the systemd unit
  grove-dev_VERSION_ARCHITECTURE.deb   headers, libraries, the generator of actor code: for find_package(grove)

  --runtime   the first one only, which takes a shorter build

apt install ./build/packages/grove_*.deb installs it with what it needs.
EOF
}

cmd_package() {
  local packages=$root/build/packages components='runtime;configuration;development' targets=()
  while (($#)); do
    case $1 in
      --runtime)
        components='runtime;configuration'
        targets=(programs)
        ;;
      *) usage_error "unknown option: $1" package ;;
    esac
    shift
  done
  ensure_deps package
  build release "${targets[@]}"
  say "package build/release"
  rm -rf "$packages"
  mkdir -p "$packages"
  (cd "$root/build/release" && cpack -G DEB -D "CPACK_COMPONENTS_ALL=$components" -B "$packages/made" >&2) ||
    fail "cpack could not make the packages"
  mv "$packages"/made/*.deb "$packages"
  rm -rf "$packages/made"
  printf '%s\n' "$packages"/*.deb
}
