// SPDX-License-Identifier: Apache-2.0
#include "proto/plugin/comments.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string_view>

namespace grove::plugin {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::SourceCodeInfo_Location;

void keep_comments(const FileDescriptorProto& from, FileDescriptorProto& into) {
  for (const SourceCodeInfo_Location& each : from.source_code_info().location()) {
    if (!each.has_leading_comments() && !each.has_trailing_comments()) continue;
    SourceCodeInfo_Location& kept = *into.mutable_source_code_info()->add_location();
    kept = each;
    kept.clear_leading_detached_comments();
  }
}

void add(const FileDescriptor& file, FileDescriptorSet& into, std::set<const FileDescriptor*>& seen) {
  if (file.package() == "google.protobuf" || !seen.insert(&file).second) return;
  FileDescriptorProto source;
  file.CopySourceCodeInfoTo(&source);
  FileDescriptorProto kept;
  keep_comments(source, kept);
  if (kept.has_source_code_info()) {
    kept.set_name(file.name());
    *into.add_file() = kept;
  }
  for (int i = 0; i < file.dependency_count(); ++i)
    add(*file.dependency(i), into, seen);
}

}  // namespace

std::string encoded_comments(const FileDescriptor& file) {
  FileDescriptorSet all;
  std::set<const FileDescriptor*> seen;
  add(file, all, seen);
  return all.SerializeAsString();
}

std::string as_literals(const std::string& bytes) {
  constexpr std::size_t bytes_a_line = 80;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += bytes_a_line) {
    text += "    \"";
    for (const char byte : std::string_view{bytes}.substr(at, bytes_a_line)) {
      const bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\' && byte != '?';
      // Three octal digits end by themselves, whatever follows.
      text += plain ? std::string(1, byte) : fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    }
    text += "\"\n";
  }
  return text.empty() ? "    \"\"\n" : text;
}

}  // namespace grove::plugin
