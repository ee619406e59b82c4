#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GCC 12's UndefinedBehaviorSanitizer: with no file descriptor left, right virtual calls are reported as wrong.
#
# One would guess: a check of memory needs no files. What happens: to find out whether an object's memory may be read, the
# runtime writes it into a pipe; where no pipe can be made, it takes the memory for unreadable and reports `object has
# invalid vptr` with `memory cannot be printed`. A program that is tested without descriptors on purpose, or that leaks
# them, so fails at a place that has nothing to do with it.
set -euo pipefail

version=12.2.0-14+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -qq "libubsan1=$version"
dpkg -x libubsan1_*.deb root

cat >demo.cc <<'CC'
#include <fcntl.h>
#include <sys/resource.h>
struct shape {
  virtual ~shape() = default;
  virtual int sides() const { return 4; }
};
__attribute__((noipa)) int sides_of(const shape& one) { return one.sides(); }
int main(int argc, char**) {
  const shape square;
  if (argc > 1) {
    const rlimit few{32, 32};
    setrlimit(RLIMIT_NOFILE, &few);
    while (fcntl(2, F_DUPFD, 0) >= 0) {
    }
  }
  return sides_of(square) == 4 ? 0 : 1;
}
CC
g++ -std=c++17 -g -fsanitize=undefined demo.cc -o demo

run() { LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu ./demo "$@" 2>&1 | grep -o 'object has invalid vptr' | sed -n 1p || true; }
with=$(run) without=$(run full)
printf 'libubsan1 %s: with descriptors: %s; without: %s\n' "$version" "${with:-no report}" "${without:-no report}"
[[ -z $with && $without == 'object has invalid vptr' ]] || { echo "changed"; exit 1; }
