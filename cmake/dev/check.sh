# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# `./dev check`: what a reviewer should not have to say.
# Sourced by ../../dev, which defines root and the words for the person.

help_check() {
  cat <<'EOF'
Usage: ./dev check [--all | --fix]

What a reviewer should not have to say: clang-format, clang-tidy (on the files that differ from the last commit),
shellcheck, include arrows, headers that compile alone, the text rules, docs that tell the truth.

  --all   clang-tidy on every file, the tests as well
  --fix   let clang-format rewrite the files, nothing else
EOF
}

cmd_check() {
  local tidy=changed build=$root/build/dev lint=$root/tests/lint failed=() generated=() step programs=""
  while (($#)); do
    case $1 in
      --all) tidy=all ;;
      --fix) tidy=fix ;;
      *) usage_error "unknown option: $1" check ;;
    esac
    shift
  done
  ensure_deps check
  if [[ $tidy == fix ]]; then
    python3 "$lint/clang_format.py" --fix
    return
  fi
  configure dev
  # Headers made from protobuf files must exist before anything can be read by a compiler.
  mapfile -t generated < <(ninja -C "$build" -t targets all | sed -n 's/^\(generated\/.*\.h\): .*/\1/p')
  ((${#generated[@]} == 0)) || ninja -C "$build" "${generated[@]}" >&2 || fail "build/dev does not build"
  [[ ! -x $build/bin/grove || ! -x $build/bin/grove-server ]] || programs="--bin $build/bin"
  for step in "clang_format" "shell_scripts" "include_arrows" "image_sources" "text_rules" "docs $programs" "dev_script" "self_test" \
    "headers_compile_alone --build $build" "clang_tidy --build $build --$tidy"; do
    say "check: $step"
    # shellcheck disable=SC2086 # the words of a step are arguments
    python3 -B "$lint"/${step%% *}.py ${step#"${step%% *}"} || failed+=("${step%% *}")
  done
  ((${#failed[@]} == 0)) || fail "not as it should be: ${failed[*]}"
  say "all is as it should be"
}
