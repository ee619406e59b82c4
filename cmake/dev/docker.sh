# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev docker`: the container image.
# Sourced by ../../dev, which defines root and the words for the person.

help_docker() {
  cat <<'EOF'
Usage: ./dev docker [build|run|test]

  build   build the image grove:latest (default)
  run     build it and serve on 127.0.0.1:7400 (admin: 7401) until Ctrl-C
  test    the tests of image, Compose file, Kubernetes manifests and systemd unit
EOF
}

cmd_docker() {
  local verb=${1:-build}
  (($# <= 1)) || usage_error "unknown option: $2" docker
  case $verb in
    build | run | test) ;;
    *) usage_error "unknown verb: $verb" docker ;;
  esac
  command -v docker >/dev/null || ensure_deps deploy
  if [[ $verb == test ]]; then
    build dev
    ctest --test-dir "$root/build/dev" --output-on-failure --no-tests=error --label-regex '^deploy$'
    return
  fi
  docker info >/dev/null 2>&1 || fail "no Docker engine answers: is it started, and may you use it?"
  docker build --tag grove:latest "$root"
  [[ $verb == run ]] || return 0
  say "Grove serves on 127.0.0.1:7400; Ctrl-C drains and stops it"
  docker run --rm --init=false --publish 127.0.0.1:7400:7400 --publish 127.0.0.1:7401:7401 grove:latest
}
