#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libprotobuf 3.21.12, util::JsonStringToMessage: what it takes without a word and what it makes of it.
#
# One would guess: JSON by RFC 8259, and an error for a number that an int64 field cannot hold exactly.
# What happens: a trailing comma, single quotes and keys without quotes are taken; an integer that is written with a
# fraction of zero or an exponent goes through a double, so that 9007199254740993.0 becomes 9007199254740992, although
# 9007199254740993 is kept. The return value is OK each time.
set -euo pipefail

version=3.21.12-3+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in libprotobuf32 libprotobuf-dev; do apt-get -o APT::Sandbox::User=root download -qq "$package=$version"; done
for file in ./*.deb; do dpkg -x "$file" root; done
lib=$work/root/usr/lib/x86_64-linux-gnu

cat >demo.cc <<'CC'
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>
#include <google/protobuf/type.pb.h>
#include <iostream>
// google.protobuf.Field has an int32 field "number"; google.protobuf.Int64Value is a bare number in JSON.
int main(int, char** argv) {
  google::protobuf::Field field;
  google::protobuf::Int64Value value;
  google::protobuf::Message& into = *argv[1] == '{' ? static_cast<google::protobuf::Message&>(field) : value;
  const auto status = google::protobuf::util::JsonStringToMessage(argv[1], &into);
  std::cout << (status.ok() ? "OK " + into.ShortDebugString() : "refused") << '\n';
}
CC
g++ -std=c++17 -isystem root/usr/include demo.cc -o demo -L"$lib" -lprotobuf -pthread

expect() { # what it prints, JSON
  local seen
  seen=$(LD_LIBRARY_PATH=$lib ./demo "$2")
  printf 'libprotobuf %s: %s -> %s\n' "$version" "$2" "$seen"
  [[ $seen == "$1" ]] || { echo "changed: expected $1"; exit 1; }
}
expect 'OK value: 9007199254740993' 9007199254740993
expect 'OK value: 9007199254740992' 9007199254740993.0
expect 'OK value: 9007199254740992' 9007199254740993e0
expect 'OK number: 2' '{"number": 2,}'
expect 'OK number: 2' "{'number': 2}"
expect 'OK number: 2' '{number: 2}'
