# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev bench`: the programs of bench/.
# Sourced by ../../dev, which defines root and the words for the person.

help_bench() {
  cat <<'EOF'
Usage: ./dev bench [NAME [-- BENCHMARK OPTION...]]

Builds the bench preset and runs one benchmark of bench/, or lists them when no name is given; `all` runs all.
EOF
}

cmd_bench() {
  local name=${1:-} found=() program
  (($# == 0)) || shift
  [[ $name != -* ]] || usage_error "unknown option: $name" bench
  if (($#)); then
    [[ $1 == -- ]] || usage_error "unknown option: $1" bench
    shift
  fi
  build bench
  mapfile -t found < <(find "$root/build/bench" -type f -name 'bench_*' -perm -u+x | sort)
  ((${#found[@]})) || fail "there are no benchmarks in bench/ yet"
  if [[ -z $name ]]; then
    printf './dev bench %s\n' "${found[@]##*/bench_}"
    return
  fi
  for program in "${found[@]}"; do
    [[ $name == all || ${program##*/bench_} == "$name" ]] || continue
    say "bench ${program##*/bench_}"
    "$program" "$@"
    [[ $name == all ]] || return 0
  done
  [[ $name == all ]] || usage_error "unknown benchmark: $name (there are: ${found[*]##*/bench_})" bench
}
