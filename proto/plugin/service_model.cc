// SPDX-License-Identifier: Apache-2.0
#include "proto/plugin/service_model.h"

#include <chrono>
#include <string_view>

#include "base/values.h"
#include "grove/v1/options.pb.h"

namespace grove::plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// protobuf's C++ generator puts a nested message Outer.Inner into a class Outer_Inner.
std::string cpp_type(const Descriptor& message) {
  const std::string& package = message.file()->package();
  const std::string local = package.empty() ? message.full_name() : message.full_name().substr(package.size() + 1);
  return (package.empty() ? "" : "::" + replace_all(package, ".", "::")) + "::" + replace_all(local, ".", "_");
}

template <class Described>
std::string comment_of(const Described& described, std::string_view indent) {
  google::protobuf::SourceLocation location;
  if (!described.GetSourceLocation(&location)) return {};
  std::string text;
  std::string_view rest = location.leading_comments;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text.append(indent).append("///").append(rest.substr(0, end)).append("\n");
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return text;
}

bool read_method(const MethodDescriptor& method, service_model& into, std::string& error) {
  if (method.client_streaming()) {
    error = method.full_name() + ": an actor's method takes one request; streams of requests are not supported";
    return false;
  }
  const grove::v1::MethodOptions& options = method.options().GetExtension(grove::v1::method);
  into.methods.push_back({.name = method.name(),
                          .request = cpp_type(*method.input_type()),
                          .response = cpp_type(*method.output_type()),
                          .comment = comment_of(method, "    "),
                          .index = method.index(),
                          .read_only = options.read_only(),
                          .interleave = options.interleave(),
                          .streaming = method.server_streaming()});
  return true;
}

bool read_service(const ServiceDescriptor& service, file_model& into, std::string& error) {
  const grove::v1::ActorOptions& options = service.options().GetExtension(grove::v1::actor);
  service_model model;
  model.name = service.name();
  model.actor_type = options.name().empty() ? service.full_name() : options.name();
  model.comment = comment_of(service, "");
  model.index = service.index();
  model.local = options.placement() == grove::v1::PLACEMENT_LOCAL;
  if (!options.state().empty()) {
    const Descriptor* const state = service.file()->pool()->FindMessageTypeByName(options.state());
    if (state == nullptr) {
      error = service.full_name() + ": there is no message '" + options.state() + "' for its state";
      return false;
    }
    model.state = cpp_type(*state);
  }
  if (!options.idle_timeout().empty()) {
    const auto timeout = parse_duration(options.idle_timeout());
    if (!timeout) {
      error = service.full_name() + ": idle_timeout '" + options.idle_timeout() + "' must be ";
      error += duration_form;
      return false;
    }
    model.idle_timeout_ms = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(*timeout).count());
  }
  for (int i = 0; i < service.method_count(); ++i) {
    if (!read_method(*service.method(i), model, error)) return false;
  }
  into.services.push_back(std::move(model));
  return true;
}

}  // namespace

bool read_model(const FileDescriptor& file, file_model& into, std::string& error) {
  into.source = file.name();
  into.stem = file.name().substr(0, file.name().rfind(".proto"));
  into.cpp_namespace = replace_all(file.package(), ".", "::");
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    if (service.options().HasExtension(grove::v1::actor) && !read_service(service, into, error)) return false;
  }
  return true;
}

}  // namespace grove::plugin
