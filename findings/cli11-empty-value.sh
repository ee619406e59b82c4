#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# CLI11 2.1.2: `--option=` with nothing behind the equals sign takes the next argument for its value.
#
# One would guess: an empty value, as getopt_long, argparse and CLI11 itself with `--option ""` have it, or an error.
# What happens: the next word of the command line becomes the value, a subcommand's name included; the subcommand is then
# not run. A script that says --server="$SERVER" with the variable unset so runs something else than it says.
set -euo pipefail

package=libcli11-dev version=2.1.2+ds-1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -qq "$package=$version"
dpkg -x "$package"_*.deb root

cat >demo.cc <<'CC'
#include <CLI/CLI.hpp>
#include <iostream>
int main(int argc, char** argv) {
  CLI::App app{"demo"};
  std::string server;
  app.add_option("--server", server);
  const CLI::App* list = app.add_subcommand("list");
  CLI11_PARSE(app, argc, argv);
  std::cout << "server='" << server << "' list=" << list->parsed() << '\n';
}
CC
g++ -std=c++17 -isystem root/usr/include demo.cc -o demo

expect() { # what it prints, arguments...
  local wanted=$1 seen
  shift
  seen=$(./demo "$@")
  printf '%s %s: demo %s\n  -> %s\n' "$package" "$version" "$*" "$seen"
  [[ $seen == "$wanted" ]] || { echo "changed: expected $wanted"; exit 1; }
}
expect "server='a' list=1" --server=a list
expect "server='' list=1" --server '' list
expect "server='list' list=0" --server= list
