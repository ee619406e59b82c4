// SPDX-License-Identifier: Apache-2.0
#include "proto/plugin/service_model.h"

#include <google/protobuf/compiler/cpp/names.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/values.h"
#include "grove/v1/options.pb.h"
#include "proto/plugin/comments.h"
#include "proto/plugin/cpp_names.h"

namespace grove::plugin {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

/// Comments may hold anything; what the compiler would not take as part of a comment's line is written another way.
std::string comment_line(std::string_view indent, std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
    line.remove_suffix(1);
  std::string text{indent};
  text.append("///");
  for (const char c : line)
    text += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c;
  // At the end of a line a backslash draws the next one into the comment; this is how Doxygen is told of one.
  if (text.back() == '\\') text.replace(text.size() - 1, 1, "&#92;");
  return text.append("\n");
}

template <class Described>
std::string comment_of(const Described& described, std::string_view indent) {
  google::protobuf::SourceLocation location;
  if (!described.GetSourceLocation(&location)) return {};
  std::string text;
  std::string_view rest = location.leading_comments;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text += comment_line(indent, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return text;
}

void read_method(const MethodDescriptor& method, service_model& into, faults& found) {
  if (method.client_streaming()) {
    found.add(method, "method '" + method.name() +
                          "': an actor's method takes one request; streams of requests are not supported");
  }
  const grove::v1::MethodOptions& options = method.options().GetExtension(grove::v1::method);
  into.methods.push_back({.name = method.name(),
                          .cpp_name = cpp_method(method.name(), into.cpp_name),
                          .request = cpp_type(*method.input_type()),
                          .response = cpp_type(*method.output_type()),
                          .comment = comment_of(method, "    "),
                          .index = method.index(),
                          .read_only = options.read_only(),
                          .interleave = options.interleave(),
                          .streaming = method.server_streaming()});
}

/// The type stands before the first slash of an address, and in log lines and labels.
bool is_type_name(std::string_view name) {
  constexpr std::size_t length_max = 128;
  return name.size() <= length_max && std::ranges::none_of(name, [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '"' || c == '\\' || c == 0x7f;
         });
}

void read_state(const ServiceDescriptor& service, std::string name, service_model& into, faults& found) {
  if (name.front() == '.') name.erase(0, 1);  // A full name, as it is written elsewhere in the file.
  const google::protobuf::DescriptorPool& pool = *service.file()->pool();
  into.state_message = pool.FindMessageTypeByName(name);
  if (into.state_message != nullptr) {
    into.state = cpp_type(*into.state_message);
    return;
  }
  const std::string here = service.file()->package() + "." + name;
  found.add(service, "service '" + service.name() + "': there is no message '" + name + "' for its state; " +
                         (pool.FindMessageTypeByName(here) != nullptr
                              ? "write \"" + here + "\""
                              : "write the full name of one that this file has or imports"));
}

void read_service(const ServiceDescriptor& service, file_model& into, faults& found) {
  const grove::v1::ActorOptions& options = service.options().GetExtension(grove::v1::actor);
  service_model model;
  model.name = service.name();
  model.cpp_name = cpp_service(service.name());
  model.actor_type = options.name().empty() ? service.full_name() : options.name();
  model.comment = comment_of(service, "");
  model.index = service.index();
  model.local = options.placement() == grove::v1::PLACEMENT_LOCAL;
  if (!is_type_name(model.actor_type)) {
    found.add(service,
              "service '" + service.name() + "': the name '" + in_literal(model.actor_type) +
                  "' cannot stand in an address; it may have up to 128 bytes and no blanks, slashes, quotes or "
                  "backslashes");
  }
  if (!options.state().empty()) read_state(service, options.state(), model, found);
  if (!options.idle_timeout().empty()) {
    if (const auto timeout = parse_duration(options.idle_timeout())) {
      model.idle_timeout_ms =
          static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(*timeout).count());
    } else {
      found.add(service, "service '" + service.name() + "': idle_timeout '" + in_literal(options.idle_timeout()) +
                             "' must be " + std::string{duration_form});
    }
  }
  if (service.method_count() == 0) found.add(service, "service '" + service.name() + "' has no methods");
  for (int i = 0; i < service.method_count(); ++i) {
    read_method(*service.method(i), model, found);
    const method_model& method = model.methods.back();
    if (method.interleave && !method.read_only && !options.state().empty()) {
      found.add(*service.method(i),
                "method '" + method.name +
                    "' interleaves: its turns overlap with others, so it cannot change the state of its actor; write "
                    "{ interleave: true read_only: true }, or let another method change the state");
    }
  }
  into.services.push_back(std::move(model));
}

}  // namespace

file_model read_model(const FileDescriptor& file, faults& found) {
  file_model model;
  model.source = file.name();
  model.stem = google::protobuf::compiler::cpp::StripProto(file.name());
  model.comments = encoded_comments(file);
  model.cpp_namespace = cpp_namespace(file);
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    if (service.options().HasExtension(grove::v1::actor)) read_service(service, model, found);
  }
  return model;
}

}  // namespace grove::plugin
