# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev test`: every test, then the same under the sanitizers.
# Sourced by ../../dev, which defines root and the words for the person.

help_test() {
  cat <<'EOF'
Usage: ./dev test [--quick | --preset PRESET] [CTEST OPTION...]

Builds and runs all tests: the whole suite (unit, crash, integration, lint, deploy), then the suite again under
AddressSanitizer with UndefinedBehaviorSanitizer, then under ThreadSanitizer, then the fuzzers for a short while. Closes
with what the failed tests printed, the names of the skipped and the failed ones, and `N passed, N failed`.

  --quick           the dev preset only
  --preset PRESET   one preset only: dev, asan, tsan, coverage
  CTEST OPTION      passed on, with the dev preset only unless --preset is given, such as: ./dev test -R hub
                    Only the programs of the tests that such options choose are built.
EOF
}

reports=() # PRESET=JUNIT_FILE of every suite that ran

run_suite() { # preset ctest-option...
  build_for_tests "$@"
  run_ctest "$@"
}

# Builds what the chosen tests need, and installs the packages that they need.
build_for_tests() { # preset ctest-option...
  local preset=$1 wanted kind name all=no targets=()
  shift
  ensure_deps check # Python, which finds out what is needed
  configure "$preset"
  if ! wanted=$(python3 -B "$root/cmake/dev/test_targets.py" "$root/build/$preset" "$@"); then
    say "what these tests need is not known, so everything is built"
    wanted=$'all\nlabel deploy'
  fi
  [[ -n $wanted ]] || fail "no test has such a name or label: $* (all names: ./dev test -N)"
  while read -r kind name; do
    case "$kind $name" in
      'all ') all=yes ;;
      'label deploy') ensure_deps test ;;
      target\ *) targets+=("$name") ;;
    esac
  done <<<"$wanted"
  if [[ $all == yes ]]; then
    build "$preset"
  elif ((${#targets[@]})); then
    build "$preset" "${targets[@]}"
  fi
}

run_ctest() { # preset ctest-option...
  local preset=$1 results=$root/build/$1/ctest.xml
  shift
  say "test build/$preset"
  rm -f "$results"
  UBSAN_OPTIONS=print_stacktrace=1 fixed_addresses "$preset" ctest --test-dir "$root/build/$preset" \
    --output-on-failure --no-tests=error --parallel "$(nproc)" --output-junit "$results" "$@" </dev/null || suite_failed=yes
  reports+=("$preset=$results")
}

ctest_options=() # what the person gave that is ctest's own

read_ctest_options() { # argument...
  while (($#)); do
    case $1 in
      -R | -E | -L | -LE | -I | -j | --tests-regex | --exclude-regex | --label-regex | --label-exclude | --repeat | --timeout)
        (($# > 1)) || usage_error "$1 needs a value" test
        ctest_options+=("$1" "$2")
        shift
        ;;
      -V | -VV | -N | --verbose | --rerun-failed | --stop-on-failure | --schedule-random) ctest_options+=("$1") ;;
      -*) usage_error "unknown option: $1" test ;;
      *) usage_error "unknown argument: $1 (to choose tests by name: -R $1)" test ;;
    esac
    shift
  done
}

cmd_test() {
  local chosen='' quick=no suite_failed=no preset
  while (($#)); do
    case $1 in
      --quick) quick=yes ;;
      --preset)
        (($# > 1)) || usage_error "--preset needs a name" test
        chosen=$2
        shift
        ;;
      --preset=*) chosen=${1#*=} ;;
      *) break ;;
    esac
    shift
  done
  [[ -z $chosen ]] || check_preset "$chosen" test
  case $chosen in
    release | bench | fuzz) usage_error "the preset $chosen has no tests" test ;;
  esac
  read_ctest_options "$@"
  if [[ -n $chosen || $quick == yes ]] || ((${#ctest_options[@]})); then
    run_suite "${chosen:-dev}" "${ctest_options[@]}"
  else
    ensure_deps test
    run_suite dev
    # The sanitizers read what runs; what only reads files has already passed.
    for preset in asan tsan; do run_suite "$preset" --label-exclude '^(lint|deploy)$'; done
    ensure_deps fuzz
    build fuzz fuzz_envelope fuzz_json
    run_ctest fuzz --tests-regex '^fuzz\.'
  fi
  python3 -B "$root/cmake/dev/test_report.py" "${reports[@]}" || suite_failed=yes
  [[ $suite_failed == no ]]
}
