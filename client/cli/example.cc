// SPDX-License-Identifier: Apache-2.0
#include "client/cli/example.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/json.h"

namespace grove::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// The messages that JSON writes in a way of their own.
[[nodiscard]] std::string_view well_known(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> texts = {{
      {"Any", "{}"},
      {"BoolValue", "true"},
      {"BytesValue", "\"aGVsbG8=\""},
      {"DoubleValue", "1.5"},
      {"Duration", "\"1.5s\""},
      {"Empty", "{}"},
      {"FieldMask", "\"\""},
      {"FloatValue", "1.5"},
      {"Int32Value", "1"},
      {"Int64Value", "\"1\""},
      {"ListValue", "[]"},
      {"StringValue", "\"text\""},
      {"Struct", "{\"name\":\"text\"}"},
      {"Timestamp", "\"2030-01-31T12:00:00Z\""},
      {"UInt32Value", "1"},
      {"UInt64Value", "\"1\""},
  }};
  constexpr std::string_view package = "google.protobuf.";
  if (!name.starts_with(package)) return {};
  const std::string_view local = std::string_view{name}.substr(package.size());
  if (local == "Value") return "\"text\"";
  const auto found = std::ranges::find(texts, local, [](const auto& each) { return each.first; });
  return found == texts.end() ? std::string_view{} : found->second;
}

class example_writer {
 public:
  [[nodiscard]] std::string message(const Descriptor& type) {
    if (const std::string_view known = well_known(type.full_name()); !known.empty()) return std::string{known};
    if (std::ranges::find(open_, &type) != open_.end()) return "{}";
    open_.push_back(&type);
    std::string text = "{";
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const auto* const one_of = field.real_containing_oneof();
      if (one_of != nullptr && one_of->field(0) != &field) continue;
      if (text.size() > 1) text += ',';
      text.append(json_string(field.json_name())).append(":").append(value_of(field));
    }
    open_.pop_back();
    return text + "}";
  }

 private:
  [[nodiscard]] std::string value_of(const FieldDescriptor& field) {
    if (field.is_map()) {
      const Descriptor& entry = *field.message_type();
      const std::string key = single(*entry.map_key());
      return "{" + (key.front() == '"' ? key : "\"" + key + "\"") + ":" + single(*entry.map_value()) + "}";
    }
    const std::string value = single(field);
    return field.is_repeated() ? "[" + value + "]" : value;
  }

  [[nodiscard]] std::string single(const FieldDescriptor& field) {
    switch (field.type()) {
      case FieldDescriptor::TYPE_BOOL:
        return "true";
      case FieldDescriptor::TYPE_STRING:
        return "\"text\"";
      case FieldDescriptor::TYPE_BYTES:
        return "\"aGVsbG8=\"";
      case FieldDescriptor::TYPE_FLOAT:
      case FieldDescriptor::TYPE_DOUBLE:
        return "1.5";
      case FieldDescriptor::TYPE_ENUM:
        return enumerator(*field.enum_type());
      case FieldDescriptor::TYPE_GROUP:
      case FieldDescriptor::TYPE_MESSAGE:
        return message(*field.message_type());
      case FieldDescriptor::TYPE_INT64:
      case FieldDescriptor::TYPE_SINT64:
      case FieldDescriptor::TYPE_SFIXED64:
      case FieldDescriptor::TYPE_UINT64:
      case FieldDescriptor::TYPE_FIXED64:
        return "\"1\"";  // As replies have them, so that no reader rounds them.
      default:
        return "1";
    }
  }

  /// The first name that is not the one for "not said".
  [[nodiscard]] static std::string enumerator(const google::protobuf::EnumDescriptor& type) {
    if (type.full_name() == "google.protobuf.NullValue") return "null";
    return json_string(type.value(std::min(1, type.value_count() - 1))->name());
  }

  std::vector<const Descriptor*> open_;  ///< Those that the place is in.
};

}  // namespace

std::string example_json(const Descriptor& message) {
  return example_writer{}.message(message);
}

}  // namespace grove::cli
