// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace grove::plugin {

/// What is wrong with a file, in the form that protoc gives its own errors: "bank.proto:12:3: text".
class faults {
 public:
  explicit faults(const google::protobuf::FileDescriptor& file) noexcept : file_{&file} {}

  /// At a message, a field, a service or a method; in whatever file that stands.
  template <class Described>
  void add(const Described& at, std::string_view text) {
    google::protobuf::SourceLocation location;
    add(*at.file(), at.GetSourceLocation(&location), location, text);
  }

  /// At what the path of a SourceCodeInfo leads to, such as an option of the file.
  void add_at(const std::vector<int>& path, std::string_view text) {
    google::protobuf::SourceLocation location;
    add(*file_, file_->GetSourceLocation(path, &location), location, text);
  }

  [[nodiscard]] bool none() const noexcept { return text_.empty(); }
  /// A line for each.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void add(const google::protobuf::FileDescriptor& file, bool is_known,
           const google::protobuf::SourceLocation& location, std::string_view text) {
    if (!text_.empty()) text_ += '\n';
    text_ += file.name();
    if (is_known)
      text_ += ':' + std::to_string(location.start_line + 1) + ':' + std::to_string(location.start_column + 1);
    text_.append(": ").append(text);
  }

  const google::protobuf::FileDescriptor* file_;
  std::string text_;
};

/// "12:3" of something in a file, for a fault at another place; empty if it is not known.
template <class Described>
std::string line_of(const Described& at) {
  google::protobuf::SourceLocation location;
  return at.GetSourceLocation(&location) ? " (line " + std::to_string(location.start_line + 1) + ")" : "";
}

}  // namespace grove::plugin
