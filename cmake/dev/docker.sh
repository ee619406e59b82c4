# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev docker`: the container image.
# Sourced by ../../dev, which defines root and the words for the person.

help_docker() {
  cat <<'EOF'
Usage: ./dev docker [build|run|test]

  build   build the image grove:latest, also tagged with its version (default)
  run     build it and serve on 127.0.0.1:7400 (admin: 7401) until Ctrl-C
  test    the tests of image, Compose file, Kubernetes manifests and systemd unit
EOF
}

cmd_docker() {
  local verb=${1:-build} version
  version=$(sed -n 's/^project(grove VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
  (($# <= 1)) || usage_error "unknown option: $2" docker
  case $verb in
    build | run | test) ;;
    *) usage_error "unknown verb: $verb" docker ;;
  esac
  if [[ $verb == test ]]; then
    # shellcheck source=/dev/null
    source "$root/cmake/dev/test.sh"
    cmd_test --label-regex '^deploy$'
    return
  fi
  command -v docker >/dev/null || ensure_deps deploy
  docker info >/dev/null 2>&1 || fail "no Docker engine answers: is it started, and may you use it?"
  # The sources in the engine have no history, so the commit is told.
  docker build --tag grove:latest --tag "grove:$version" --build-arg "GROVE_VERSION=$version" \
    --build-arg "GROVE_REVISION=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)" "$root"
  [[ $verb == run ]] || return 0
  say "Grove serves on 127.0.0.1:7400; Ctrl-C drains and stops it"
  docker run --rm --init=false --publish 127.0.0.1:7400:7400 --publish 127.0.0.1:7401:7401 grove:latest
}
