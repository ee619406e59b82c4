#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the image with a real Docker engine, runs it locked down, talks to it through a published port, stops it, and
# does the same with deploy/compose.yaml; then runs the unit of deploy/systemd under a systemd in a container.
# Environment: GROVE_TEST_CLI, the CLI of the build that is tested (default: the one inside the image).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/grove-docker.XXXXXX")
here=$(dirname "$0")
image=grove:test
container="grove-test-$$"
project="grove-test-$$"
# Sources without history have none; then this one shows that it is handed through.
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo 0123456789abcdef0123456789abcdef01234567)
image_bytes_max=$((40 * 1024 * 1024))
# An engine refuses more cores than the machine has.
cores=$(nproc)
lock_down=(--read-only --cap-drop=ALL --security-opt no-new-privileges --memory 512m --cpus "$((cores < 2 ? 1 : 2))" --pids-limit 512)

# shellcheck source-path=SCRIPTDIR source=docker_engine.sh disable=SC1091
. "$here/docker_engine.sh"
# shellcheck source-path=SCRIPTDIR source=systemd_container.sh disable=SC1091
. "$here/systemd_container.sh"

compose() {
  docker-compose --project-name "$project" --file "$root/deploy/compose.yaml" "$@"
}

tear_down() {
  local status=$?
  set +e
  if [ "$status" != 0 ]; then
    for id in $(docker ps --all --quiet --filter "name=grove-test-$$" 2>/dev/null); do
      echo "--- log of container $id"
      docker logs --tail 50 "$id" 2>&1
      docker exec "$id" journalctl --unit grove --lines 50 --no-pager 2>/dev/null
    done
  fi
  docker ps --all --quiet --filter "name=grove-test-$$" 2>/dev/null | xargs -r docker rm --force >/dev/null 2>&1
  docker network rm "${project}_default" >/dev/null 2>&1
  stop_engine
  rm -rf "$work"
  exit "$status"
}
trap tear_down EXIT
trap 'exit 1' INT TERM

step() { echo "== $*"; }

expect() { # expect WHAT EXPECTED ACTUAL
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
  echo "ok: $1: $3"
}

# The sources as they are now, so that whoever edits them meanwhile does not get half of this and half of that.
copy_sources() {
  local paths
  mapfile -t paths < <(sed -n 's/^!//p' "$root/.dockerignore")
  tar --directory "$root" --sort=name --create --file "$work/sources.tar" .dockerignore Dockerfile "${paths[@]}"
  mkdir "$work/sources"
  tar --directory "$work/sources" --extract --file "$work/sources.tar"
}

build_image() {
  local arguments=() step hash
  # Our own engine has no way out but the machine's network.
  [ -n "$engine_pid" ] && arguments=(--network=host)
  # Changed sources are compiled with the compiler cache of the build before; unchanged ones are not compiled at all,
  # which takes the same seed as then.
  copy_sources
  hash=$(cd "$work/sources" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  if docker image inspect grove-build:test >/dev/null 2>&1; then
    [ "$hash" = "$(cat "$cache/docker-sources" 2>/dev/null)" ] || docker tag grove-build:test grove-seed:test
  fi
  arguments+=(--build-arg "GROVE_REVISION=$revision")
  docker image inspect grove-seed:test >/dev/null 2>&1 && arguments+=(--build-arg GROVE_SEED=grove-seed:test)
  # The tag of the build stage keeps its layers through the prune below.
  for step in "--target=build --tag=grove-build:test" "--tag=$image"; do
    # shellcheck disable=SC2086 # Two words each.
    docker build "${arguments[@]}" $step "$work/sources" >"$work/build.log" 2>&1 ||
      { tail -n 60 "$work/build.log" >&2; fail "docker build"; }
  done
  mkdir -p "$cache"
  echo "$hash" >"$cache/docker-sources"
  docker image prune --force >/dev/null
  local bytes
  bytes=$(docker image inspect --format '{{.Size}}' "$image")
  echo "image: $((bytes / 1024)) KiB"
  [ "$bytes" -le "$image_bytes_max" ] || fail "the image has more than $image_bytes_max bytes"
}

# grove_at ADDRESS ARGUMENT...: the CLI of the build, or the image's own in the machine's network.
grove_at() {
  local address=$1
  shift
  if [ -x "${GROVE_TEST_CLI:-}" ]; then
    GROVE_SERVER=$address "$GROVE_TEST_CLI" "$@"
  else
    docker run --rm --network=host --env "GROVE_SERVER=$address" --entrypoint grove "$image" "$@"
  fi
}

get() { curl --noproxy '*' --silent --fail "http://$1"; }

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }

wait_until_healthy() { # wait_until_healthy CONTAINER
  if can_enter_containers; then
    wait_until 180 "the container is healthy" is_healthy "$1"
    echo "ok: its health check passes"
  else
    wait_until 180 "the server answers" grove_at "$(address_of "$1" 7400)" ps
    echo "NOT TESTED, because this is a chroot: the health check"
  fi
}

address_of() { docker port "$1" "$2/tcp" | sed -n 1p; }

expect_answers() { # expect_answers ADDRESS
  expect "Add through the published port" '{"value":"2"}' "$(grove_at "$1" call grove.Counter/visits Add '{"by":2}')"
  expect "Get through the published port" '{"value":"2"}' "$(grove_at "$1" call grove.Counter/visits Get)"
}

user_of() { # The uid that process 1 of a container has, as the kernel says.
  local pid
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status"
}

capabilities_of() {
  local pid
  pid=$(docker inspect --format '{{.State.Pid}}' "$1")
  awk '/^Cap(Prm|Eff|Bnd):/ { print $2 }' "/proc/$pid/status" | sort -u
}

run_and_stop() {
  docker run --detach --name "$container" "${lock_down[@]}" --stop-timeout 40 --health-interval 1s \
    --publish 127.0.0.1:0:7400 --publish 127.0.0.1:0:7401 "$image" >/dev/null 2>"$work/run.err" ||
    { cat "$work/run.err" >&2; fail "docker run"; }
  wait_until_healthy "$container"
  local address admin
  address=$(address_of "$container" 7400)
  admin=$(address_of "$container" 7401)
  expect_answers "$address"
  for path in livez readyz metrics; do
    get "$admin/$path" >"$work/$path" || fail "/$path does not answer"
  done
  grep -q '^grove_' "$work/metrics" || fail "/metrics has no grove_ series"
  echo "ok: /livez /readyz /metrics"
  expect "uid" 65532 "$(user_of "$container")"
  expect "capabilities" 0000000000000000 "$(capabilities_of "$container")"
  if can_enter_containers; then
    expect "the image's own CLI" '{"value":"2"}' "$(docker exec "$container" grove call grove.Counter/visits Get)"
  fi

  # A call that is in flight when TERM comes gets its answer.
  grove_at "$address" call grove.Echo/drained Sleep '{"milliseconds":3000}' >"$work/sleep.out" 2>&1 &
  local call=$!
  wait_until 10 "the call runs" call_runs "$admin"
  local began=$SECONDS
  docker stop "$container" >/dev/null
  echo "docker stop: $((SECONDS - began)) s"
  wait "$call" || { cat "$work/sleep.out" >&2; fail "the call in flight was cut by docker stop"; }
  expect "answer of the call in flight" '{}' "$(cat "$work/sleep.out")"
  expect "exit code after docker stop" 0 "$(docker inspect --format '{{.State.ExitCode}}' "$container")"
  docker logs "$container" >"$work/log" 2>&1
  for words in 'draining' 'drained after' 'stopped within'; do
    grep -q "$words" "$work/log" || { cat "$work/log" >&2; fail "the log does not say: $words"; }
  done
  echo "ok: the log says that it drained"
  docker rm "$container" >/dev/null
}

call_runs() { # call_runs ADMIN: a call was taken that is not answered; those of the health check take no time.
  get "$1/metrics" | awk '/^grove_requests_total[{ ]/ { open += $NF }
    /^grove_(responses_ok|errors_executed|errors_not_executed|errors_unknown)_total[{ ]/ { open -= $NF }
    END { exit !(open >= 1) }'
}

compose_up_and_down() {
  export GROVE_IMAGE=$image GROVE_PUBLISH=127.0.0.1:0
  compose up --detach --no-build 2>"$work/compose.log" || { cat "$work/compose.log" >&2; fail "docker-compose up"; }
  local id
  id=$(compose ps --quiet grove)
  wait_until_healthy "$id"
  expect_answers "$(address_of "$id" 7400)"
  expect "uid" 65532 "$(user_of "$id")"
  compose stop 2>/dev/null
  expect "exit code after docker-compose stop" 0 "$(docker inspect --format '{{.State.ExitCode}}' "$id")"
  compose down 2>/dev/null
  expect "containers left by docker-compose down" "" "$(docker ps --all --quiet --filter "name=$project")"
}

expect_commit() {
  expect "the label's commit" "$revision" \
    "$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image")"
  local said
  said=$(docker run --rm --entrypoint grove "$image" --version)
  grep -q "(commit ${revision:0:12})" <<<"$said" || fail "grove --version does not name commit $revision: $said"
  echo "ok: $said"
}

need curl curl
step "engine"
start_engine
provide_debian
step "build"
build_image
expect_commit
step "docker run"
run_and_stop
step "docker-compose"
compose_up_and_down
step "systemd"
run_under_systemd
echo "docker_test: passed"
