// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "client/cli/commands.h"
#include "client/cli/described_type.h"
#include "client/cli/example.h"
#include "client/cli/json.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/plain_name.h"
#include "client/cli/table.h"

namespace grove::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

struct arguments {
  std::string type;
  std::string method;
  bool example = false;
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

/// The comment before something in its .proto file, or behind it on its line; each line after `before`.
template <class Described>
[[nodiscard]] std::string comment_of(const Described& described, std::string_view before) {
  google::protobuf::SourceLocation place;
  if (!described.GetSourceLocation(&place)) return {};
  std::string_view rest = place.leading_comments.empty() ? place.trailing_comments : place.leading_comments;
  std::string text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with(' ')) line.remove_prefix(1);
    text.append(before).append(printable(line)).append("\n");
  }
  return text;
}

void print_messages(const std::vector<const Descriptor*>& messages, const environment& where) {
  for (const Descriptor* message : messages) {
    where.out << '\n' << comment_of(*message, "// ");
    where.out << message->full_name() << (message->field_count() == 0 ? "  (no fields)\n" : "\n");
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor& field = *message->field(i);
      where.out << comment_of(field, "  // ") << "  " << printable(field.json_name()) << ": ";
      if (field.is_repeated() && !field.is_map()) where.out << "list of ";
      where.out << type_of(field) << (field.has_optional_keyword() ? ", optional" : "") << '\n';
    }
  }
}

/// What the .proto file says about the methods; nothing when it says nothing about any.
void print_method_comments(const std::vector<const MethodDescriptor*>& methods, const environment& where) {
  for (const MethodDescriptor* method : methods) {
    const std::string comment = comment_of(*method, "  ");
    if (!comment.empty()) where.out << '\n' << method->name() << '\n' << comment;
  }
}

/// Within single quotes of a shell.
[[nodiscard]] std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

/// A word of a command line that is to be pasted: the server's name for it must not become part of the command.
[[nodiscard]] std::string shell_word(const std::string& name, const std::string& ending) {
  return is_plain_name(name) ? name + ending : quoted(printable(name) + ending);
}

/// A command line to paste for each method.
void print_examples(const described_type& type, const std::vector<const MethodDescriptor*>& methods,
                    const environment& where) {
  for (const MethodDescriptor* method : methods) {
    where.out << "grove " << (method->server_streaming() ? "watch " : "call ") << shell_word(type.name(), "/KEY") << ' '
              << method->name() << ' ' << quoted(example_json(*method->input_type())) << '\n';
  }
}

void print_description(const described_type& type, const std::vector<const MethodDescriptor*>& methods,
                       const environment& where) {
  where.out << printable(type.name()) << "  (service " << type.service().full_name() << ")\n"
            << comment_of(type.service(), "");
  where.out << '\n';
  table rows{{{"METHOD"}, {"REQUEST"}, {"RESPONSE"}}};
  std::vector<const Descriptor*> messages;
  for (const MethodDescriptor* method : methods) {
    const std::string response = method->output_type()->full_name();
    rows.add({method->name(), method->input_type()->full_name(),
              method->server_streaming() ? "stream of " + response : response});
    gather(*method->input_type(), messages);
    gather(*method->output_type(), messages);
  }
  rows.print(where.out, where.colour);
  print_method_comments(methods, where);
  print_messages(messages, where);
}

void run_describe(const arguments& given, const environment& where) {
  require_utf8("the type", given.type);
  require_utf8("the method", given.method);
  client server{connection_of(given.common, where)};
  reach(server, given.common, where);
  const bool for_people = !given.common.json && !given.example;
  const described_type type{server, given.type, call_options_of(given.common),
                            for_people ? comments::yes : comments::no};
  std::vector<const MethodDescriptor*> methods;
  if (!given.method.empty()) methods.push_back(&type.method(given.method));
  for (const v1::ActorMethod& method : type.description().type().methods()) {
    if (given.method.empty()) methods.push_back(&type.method(method.name()));
  }
  if (given.example) {
    print_examples(type, methods, where);
  } else if (given.common.json) {
    print_json(write_json(type.description()), given.common, where);
  } else {
    print_description(type, methods, where);
  }
}

}  // namespace

void add_describe(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "describe", "Show the methods and messages of an actor type");
  auto given = std::make_shared<arguments>();
  command->add_option("TYPE", given->type, "The actor type")->required()->type_name("");
  command->add_option("METHOD", given->method, "Only this method and its messages")->type_name("");
  command->add_flag("--example", given->example, "Print a command line to paste for each method");
  add_common_options(*command, given->common, prints::table);
  command->footer("Example:\n  grove describe grove.Counter\n  grove describe grove.Map Set --example");
  command->callback([given, &where] { run_describe(*given, where); });
}

}  // namespace grove::cli
