#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# protoc 3.21.12 (--cpp_out): which names of a valid .proto file make C++ that does not compile.
#
# One would guess: a name that C++ has taken gets an underscore behind it, as the reference says, wherever it stands.
# What happens: that is so for messages, enums and fields, but not for the parts of a package (`package shop.new;` makes
# `namespace new`), not for the keywords that came with C++20 (`message concept`), and a message called `std` hides the
# library from the code around it. protoc says nothing in any of these cases and exits with 0.
set -euo pipefail

version=3.21.12-3+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in protobuf-compiler libprotoc32 libprotobuf32 libprotobuf-dev; do
  apt-get -o APT::Sandbox::User=root download -qq "$package=$version"
done
for file in ./*.deb; do dpkg -x "$file" root; done
lib=$work/root/usr/lib/x86_64-linux-gnu

try() { # compiles|does-not-compile, what it shows, the file's text
  local wanted=$1 seen=compiles
  printf 'syntax = "proto3";\n%s\n' "$3" >case.proto
  LD_LIBRARY_PATH=$lib root/usr/bin/protoc --cpp_out=. case.proto
  g++ -std=c++20 -fsyntax-only -w -isystem root/usr/include case.pb.cc 2>/dev/null || seen=does-not-compile
  printf 'protoc %s: %s: %s\n' "$version" "$2" "$seen"
  [[ $seen == "$wanted" ]] || { echo "changed: expected $wanted"; exit 1; }
}
try compiles 'a message named as a keyword' 'message delete { string class = 1; }'
try does-not-compile 'a package with a keyword in it' 'package shop.new; message Order {}'
try does-not-compile 'a message named as a keyword of C++20' 'message concept {}'
try does-not-compile 'a field named as a keyword of C++20' 'message Offer { bool requires = 1; }'
try does-not-compile 'a message named std' 'package shop; message std { string text = 1; }'
