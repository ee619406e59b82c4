// SPDX-License-Identifier: Apache-2.0
#pragma once

// What errors say of fields.

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grove::json_internal {

/// "uint32", "list of grove.v1.Worker", "one of STATE_UP, STATE_DOWN", "map".
[[nodiscard]] std::string type_text(const google::protobuf::FieldDescriptor& field);
/// The same of one value of the field: of a list it is an element's.
[[nodiscard]] std::string value_type_text(const google::protobuf::FieldDescriptor& field);

/// That there is no such field, the one that may be meant, and all that there are.
[[nodiscard]] std::string unknown_field_text(const google::protobuf::Descriptor& type, std::string_view name);

/// A way through a message: fields, places in lists, keys of maps. Names are borrowed.
class field_path {
 public:
  /// One step, for as long as it lives.
  class step {
   public:
    step(field_path& path, std::string_view field) : path_{path} { path.steps_.push_back({what::field, field, 0}); }
    step(field_path& path, std::size_t index) : path_{path} { path.steps_.push_back({what::index, {}, index}); }
    ~step() { path_.steps_.pop_back(); }
    step(const step&) = delete;
    step& operator=(const step&) = delete;

    /// A step to the value of a map.
    struct key {
      std::string_view name;
    };
    step(field_path& path, key of) : path_{path} { path.steps_.push_back({what::key, of.name, 0}); }

   private:
    field_path& path_;
  };

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }
  /// `workers[0].labels["a b"]`.
  [[nodiscard]] std::string to_string() const;

 private:
  enum class what : std::uint8_t { field, index, key };
  struct part {
    what kind;
    std::string_view name;
    std::size_t index;
  };
  std::vector<part> steps_;
};

}  // namespace grove::json_internal
