// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/descriptor.h>

#include <memory>
#include <ostream>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/described_type.h"
#include "client/cli/json.h"
#include "client/cli/table.h"

namespace grove::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

struct arguments {
  std::string type;
  common_options common;
};

[[nodiscard]] std::string type_of(const FieldDescriptor& field) {
  if (field.is_map()) {
    return "map<" + type_of(*field.message_type()->map_key()) + ", " + type_of(*field.message_type()->map_value()) +
           ">";
  }
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

/// The messages that a method needs, each once, in the order in which they are met.
void gather(const Descriptor& message, std::vector<const Descriptor*>& into) {
  for (const Descriptor* known : into) {
    if (known == &message) return;
  }
  into.push_back(&message);
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const FieldDescriptor& value = field.is_map() ? *field.message_type()->map_value() : field;
    if (value.message_type() != nullptr) gather(*value.message_type(), into);
  }
}

void print_messages(const std::vector<const Descriptor*>& messages, const environment& where) {
  for (const Descriptor* message : messages) {
    where.out << '\n' << message->full_name() << (message->field_count() == 0 ? "  (no fields)\n" : "\n");
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor& field = *message->field(i);
      where.out << "  " << field.json_name() << ": ";
      if (field.is_repeated() && !field.is_map()) where.out << "list of ";
      where.out << type_of(field) << (field.has_optional_keyword() ? ", optional" : "") << '\n';
    }
  }
}

void run(const arguments& given, const environment& where) {
  client server{connection_of(given.common, where)};
  reach(server, given.common, where);
  const described_type type{server, given.type, call_options_of(given.common)};
  if (given.common.json) {
    where.out << write_json(type.description()) << '\n';
    return;
  }
  where.out << type.name() << "  (service " << type.service().full_name() << ")\n\n";
  table rows{{{"METHOD"}, {"REQUEST"}, {"RESPONSE"}}};
  std::vector<const Descriptor*> messages;
  for (const v1::ActorMethod& method : type.description().type().methods()) {
    rows.add({method.name(), method.request(), (method.streaming() ? "stream of " : "") + method.response()});
    const auto& described = type.method(method.name());
    gather(*described.input_type(), messages);
    gather(*described.output_type(), messages);
  }
  rows.print(where.out, where.colour);
  print_messages(messages, where);
}

}  // namespace

void add_describe(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "describe", "Show the methods and messages of an actor type");
  auto given = std::make_shared<arguments>();
  command->add_option("TYPE", given->type, "The actor type")->required()->type_name("");
  add_common_options(*command, given->common, prints::table);
  command->footer("Example:\n  grove describe grove.Counter");
  command->callback([given, &where] { run(*given, where); });
}

}  // namespace grove::cli
