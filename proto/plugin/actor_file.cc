// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hash.h"
#include "proto/plugin/comments.h"
#include "proto/plugin/cpp_names.h"
#include "proto/plugin/files.h"

namespace grove::plugin {
namespace {

std::string handler(const method_model& m) {
  const char* const is_const = m.read_only ? " const" : "";
  if (m.streaming) {
    return fmt::format("{}    virtual void {}(const {}& request, ::grove::stream<{}> items){} = 0;\n", m.comment,
                       m.cpp_name, m.request, m.response, is_const);
  }
  return fmt::format("{}    virtual {} {}(const {}& request){} = 0;\n", m.comment, m.response, m.cpp_name, m.request,
                     is_const);
}

std::string method_key(const method_model& m) {
  return fmt::format(R"(::grove::method_key{{{}, {:#x}, "{}"}})", m.index, hash_of_name(m.name), m.name);
}

std::string reference_methods(const service_model& service) {
  std::string text;
  for (const method_model& m : service.methods) {
    if (m.streaming) {
      text += fmt::format(R"(
    /// It streams, for clients: an actor cannot read the stream of another one.
    void {0}(const {1}& request) const = delete;
)",
                          m.cpp_name, m.request);
      continue;
    }
    text += fmt::format(R"(
    {1} {0}(const {2}& request, const ::grove::actor_call_options& options = {{}}) const {{
      return grove_to_.call<{1}>({4}, request, options);
    }}
    {1} {0}({2}&& request, const ::grove::actor_call_options& options = {{}}) const {{
      return grove_to_.call<{1}>({4}, ::std::move(request), options);
    }}
    void tell_{0}(const {2}& request) const {{ grove_to_.tell({4}, request); }}
    void tell_{0}({2}&& request) const {{ grove_to_.tell({4}, ::std::move(request)); }}
)",
                        m.cpp_name, m.response, m.request, m.name, method_key(m));
  }
  return text;
}

std::string service_class(const service_model& service) {
  std::string handlers;
  for (const method_model& m : service.methods)
    handlers += handler(m);
  const std::string base =
      service.state.empty() ? "::grove::actor" : fmt::format("::grove::actor_with_state<{}>", service.state);
  return fmt::format(R"({0}struct {1} {{
  /// The name in addresses, and its hash.
  static constexpr ::std::string_view actor_type = "{2}";
  static constexpr ::std::uint64_t actor_type_id = {6:#x};

  /// The base of the class that implements this service: a handler a method, called for one message at a time.
  class Actor : public {3} {{
   public:
    [[nodiscard]] static ::grove::actor_type_definition grove_definition();

{4}  }};

  /// Reaches an actor of this type from another one: a call waits for the answer (only the calling greenlet), a tell
  /// does not.
  class Ref {{
   public:
    Ref(::grove::runtime& owner, ::std::string key)
        : grove_to_{{owner, actor_type_id, actor_type, ::std::move(key)}} {{}}
{5}
   private:
    ::grove::actor_reference grove_to_;
  }};
}};
)",
                     service.comment, service.cpp_name, in_literal(service.actor_type), base, handlers,
                     reference_methods(service), hash_of_name(service.actor_type));
}

std::string method_entry(const service_model& service, const method_model& m) {
  const std::string call = fmt::format("static_cast<{}::Actor&>(target)", service.cpp_name);
  const std::string body =
      m.streaming ? fmt::format(R"({0}.{1}(static_cast<const {2}&>(request.get()),
                                 ::grove::stream<{3}>{{detail::open_stream(turn)}});
                   detail::finish(turn);)",
                                call, m.cpp_name, m.request, m.response)
                  : fmt::format(R"(detail::finish(turn, {0}.{1}(static_cast<const {2}&>(request.get())));)", call,
                                m.cpp_name, m.request);
  return fmt::format(R"(      {{.name = "{0}",
       .request = &{4}::default_instance(),
       .response = &{6}::default_instance(),
       .read_only = {1},
       .interleave = {2},
       .streaming = {3},
       .invoke = [](::grove::actor& target, ::grove::turn& turn) {{
                   const auto request = detail::read_request(turn, {4}::default_instance());
                   {5}
                 }}}},
)",
                     m.name, m.read_only, m.interleave, m.streaming, m.request, body, m.response);
}

/// What describes the file's services to a person.
std::string comments_constant(const file_model& file) {
  if (file.services.empty()) return {};
  return fmt::format("namespace {{\nconstexpr char grove_comments[] =\n{};\n}}  // namespace\n",
                     as_literals(file.comments));
}

std::string definition(const file_model& file, const service_model& service) {
  std::string methods;
  for (const method_model& m : service.methods)
    methods += method_entry(service, m);
  const std::string idle =
      service.idle_timeout_ms
          ? fmt::format("  made.idle_timeout = ::std::chrono::milliseconds{{{}}};\n", *service.idle_timeout_ms)
          : "";
  return fmt::format(R"(
::grove::actor_type_definition {0}::Actor::grove_definition() {{
  namespace detail = ::grove::actors::detail;
  ::grove::actor_type_definition made;
  made.name = {0}::actor_type;
  made.service = {1}::default_instance().GetDescriptor()->file()->pool()->FindFileByName("{2}")->service({3});
  made.comments = {{grove_comments, sizeof grove_comments - 1}};
  made.placement = ::grove::actor_placement::{4};
{5}  made.methods = {{
{6}  }};
  return made;
}}
)",
                     service.cpp_name, service.methods.front().request, in_literal(file.source), service.index,
                     service.local ? "local" : "hashed", idle, methods);
}

}  // namespace

std::string generated_notice(const file_model& file) {
  return fmt::format("// Generated by protoc-gen-grove from {}. Do not edit.\n", in_literal(file.source));
}

std::string open_namespace(const file_model& file) {
  return file.cpp_namespace.empty() ? "" : fmt::format("namespace {} {{\n\n", file.cpp_namespace);
}

std::string close_namespace(const file_model& file) {
  return file.cpp_namespace.empty() ? "" : fmt::format("\n}}  // namespace {}\n", file.cpp_namespace);
}

std::string actor_header(const file_model& file) {
  std::string text = generated_notice(file);
  text += fmt::format(R"(#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "{}.pb.h"
#include "worker/actor/actor.h"
#include "worker/actor/reference.h"
#include "worker/actor/stream_state.h"

)",
                      file.stem);
  text += open_namespace(file);
  for (const service_model& service : file.services)
    text += service_class(service) + "\n";
  return text + close_namespace(file);
}

std::string actor_source(const file_model& file) {
  std::string text = generated_notice(file);
  text += fmt::format("#include \"{}.actor.h\"\n\n#include <google/protobuf/descriptor.h>\n\n", file.stem);
  text += open_namespace(file);
  text += comments_constant(file);
  for (const service_model& service : file.services)
    text += definition(file, service);
  return text + close_namespace(file);
}

}  // namespace grove::plugin
