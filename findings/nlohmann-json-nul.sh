#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nlohmann-json 3.11.2: a NUL byte between values counts as the end of the input.
#
# One would guess: a text of a given length is judged to its end, and a NUL outside of a string is a syntax error, as every
# other control character is. What happens: parse() and accept() stop at it, say that all was well and never look at what
# follows, in strict mode, too, and although the length was given. Inside a string it is the error that it should be.
set -euo pipefail

version=3.11.2-2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -qq "nlohmann-json3-dev=$version"
dpkg -x nlohmann-json3-dev_*.deb root

cat >demo.cc <<'CC'
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
using namespace std::string_literals;
int main() {
  for (const std::string& text : {"[1]"s, "[1] 2"s, "[1]\x01"s, "[1]\0"s, "[1]\0 2"s, "[\"\0\"]"s})
    std::cout << (nlohmann::json::accept(text) ? "taken" : "refused") << ' ';
  std::cout << nlohmann::json::parse("[1]\0 2"s).dump() << '\n';
}
CC
g++ -std=c++17 -isystem root/usr/include demo.cc -o demo
seen=$(./demo)
printf 'nlohmann-json %s: [1] | [1] 2 | [1]<01> | [1]<00> | [1]<00> 2 | ["<00>"] | parse of the fifth\n  -> %s\n' "$version" "$seen"
[[ $seen == 'taken refused refused taken taken refused [1]' ]] || { echo "changed"; exit 1; }
