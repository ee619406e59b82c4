# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev run`: a server on this machine, and with --once a demonstration that ends by itself.
# Sourced by ../../dev, which defines root and the words for the person.

help_run() {
  cat <<'EOF'
Usage: ./dev run [--once] [-- SERVER OPTION...]

Builds the programs of the release preset, starts a server on 127.0.0.1:7400 (admin: 7401), waits until it is ready, prints how to
talk to it and serves until Ctrl-C.

  --once   take free ports, send a few requests, print each with its answer, stop the server, exit 0 if all was well

What follows `--` goes to grove-server, such as: ./dev run -- --workers 4 --listen 127.0.0.1:7500
EOF
}

server_pid='' server_address='' server_status=0 log_reader=''

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for_server() { # leaves its exit status in server_status
  # A signal that this script handles ends `wait` early.
  while :; do
    server_status=0
    wait "$server_pid" || server_status=$?
    kill -0 "$server_pid" 2>/dev/null || break
  done
  server_pid=''
  # The last lines of the log are still on their way.
  [[ -z $log_reader ]] || timeout 5 tail --sleep-interval=0.05 --pid="$log_reader" -f /dev/null || true
}

stop_server() {
  [[ -n $server_pid ]] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait_for_server
}

# Starts the server in its own session, so that Ctrl-C reaches this script alone, and reads its log until the line that
# says that it serves, and where.
start_server() { # option...
  local pipe log line
  pipe=$(mktemp -u "${TMPDIR:-/tmp}/grove-log.XXXXXX")
  mkfifo -m 600 "$pipe"
  setsid "$root/build/release/bin/grove-server" "$@" 2>"$pipe" &
  server_pid=$!
  exec {log}<"$pipe"
  rm -f "$pipe"
  while IFS= read -r -t 60 -u "$log" line; do
    printf '%s\n' "$line" >&2
    if [[ $line =~ \ ready:\ [0-9]+\ workers?\ serves?\ ([^ ]+)\ \(admin ]]; then
      # Who listens everywhere is also here.
      server_address=${BASH_REMATCH[1]/#0.0.0.0:/127.0.0.1:}
      server_address=${server_address/#\[::\]:/[::1]:}
      break
    fi
  done
  if [[ -z $server_address ]]; then
    stop_server
    fail "the server did not become ready (exit status $server_status)"
  fi
  cat <&"$log" >&2 &
  log_reader=$!
  exec {log}<&-
}

grove() { GROVE_SERVER=$server_address "$root/build/release/bin/grove" "$@"; }

show() { # expected answer (empty: any), CLI arguments...
  local expected=$1 answer word shown=grove
  shift
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]] || word="'$word'"
    shown+=" $word"
  done
  printf '%s$ %s%s\n' "$bold" "$shown" "$plain"
  answer=$(grove "$@") || fail "that call failed"
  printf '%s\n\n' "$answer"
  [[ -z $expected || $answer == "$expected" ]] || fail "expected $expected"
}

demonstrate() {
  show '{"value":"2"}' call grove.Counter/visits Add '{"by":2}'
  show '{"value":"2"}' call grove.Counter/visits Get
  show '{"text":"hello"}' call grove.Echo/any Echo '{"text":"hello"}'
  show '' call grove.Map/settings Set '{"name":"colour","value":"green"}'
  show '{"value":"green"}' call grove.Map/settings Get '{"name":"colour"}'
  show '' types
  show '' ps
}

say_how_to_talk() {
  local where=''
  [[ $server_address == 127.0.0.1:7400 ]] || where=$'\n'"  export GROVE_SERVER=$server_address"
  cat >&2 <<EOF

Grove serves on $server_address. From another terminal, in this folder:

  export PATH="\$PWD/build/release/bin:\$PATH"$where
  grove call grove.Counter/visits Add '{"by":2}'
  grove types
  grove ps

Ctrl-C drains and stops it.

EOF
}

run_options() { # once option...: the server's options, with addresses where none are given
  local once=$1 listen=127.0.0.1:7400 admin=127.0.0.1:7401
  shift
  if [[ $once == yes ]]; then listen=127.0.0.1:0 admin=127.0.0.1:0; fi
  # A configuration file says where to listen as well.
  if [[ " $* " != *" --"@(listen|config)[\ =]* ]]; then
    [[ $once == yes ]] || port_is_free 7400 ||
      fail "port 7400 is taken, perhaps by another Grove. Choose one: ./dev run -- --listen 127.0.0.1:7500"
    printf '%s\0' --listen "$listen"
  fi
  if [[ " $* " != *" --"@(admin|config)[\ =]* ]]; then
    [[ $once == yes ]] || port_is_free 7401 ||
      fail "port 7401 is taken, perhaps by another Grove. Choose one: ./dev run -- --admin 127.0.0.1:7501"
    printf '%s\0' --admin "$admin"
  fi
  (($# == 0)) || printf '%s\0' "$@"
}

cmd_run() {
  local once=no options=()
  while (($#)); do
    case $1 in
      --once) once=yes ;;
      --)
        shift
        break
        ;;
      *) usage_error "unknown option: $1 (the server's own options follow --)" run ;;
    esac
    shift
  done
  build release programs
  run_options "$once" "$@" >/dev/null # fails here, where it ends the script
  mapfile -d '' -t options < <(run_options "$once" "$@")
  trap 'stop_server' EXIT
  say "grove-server ${options[*]}"
  start_server "${options[@]}"
  if [[ $once == yes ]]; then
    demonstrate
    say "stop the server"
    stop_server
    ((server_status == 0)) || fail "the server exited with status $server_status"
    say "done: started, answered, stopped with exit status 0"
    return
  fi
  say_how_to_talk
  trap 'kill -TERM "$server_pid" 2>/dev/null || true' INT TERM
  wait_for_server
  trap - EXIT
  return "$server_status"
}
