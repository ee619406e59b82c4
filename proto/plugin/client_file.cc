// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "proto/plugin/cpp_names.h"
#include "proto/plugin/files.h"

namespace grove::plugin {
namespace {

std::string client_method(const method_model& m) {
  if (m.streaming) {
    return fmt::format(R"(
{0}    template <class OnItem>
    void {1}(::std::string_view key, const {2}& request, OnItem on_item, const ::grove::call_options& options = {{}}) {{
      grove_client_->watch_typed<{3}>(actor_type, key, "{4}", request, ::std::move(on_item), options);
    }}
)",
                       m.comment, m.cpp_name, m.request, m.response, m.name);
  }
  return fmt::format(R"(
{0}    {3} {1}(::std::string_view key, const {2}& request, const ::grove::call_options& options = {{}}) {{
      return grove_client_->call_typed<{3}>(actor_type, key, "{4}", request, options);
    }}
)",
                     m.comment, m.cpp_name, m.request, m.response, m.name);
}

std::string client_class(const service_model& service) {
  std::string methods;
  for (const method_model& m : service.methods)
    methods += client_method(m);
  return fmt::format(R"({0}/// Calls wait for the answer; the errors are those of grove::client.
class {1}Client {{
 public:
  static constexpr ::std::string_view actor_type = "{2}";

  /// Lifetime: `through` is borrowed.
  explicit {1}Client(::grove::client& through) noexcept : grove_client_{{&through}} {{}}
{3}
 private:
  ::grove::client* grove_client_;
}};
)",
                     service.comment, service.cpp_name, in_literal(service.actor_type), methods);
}

}  // namespace

std::string client_header(const file_model& file) {
  std::string text = generated_notice(file);
  text += fmt::format(
      "#pragma once\n\n#include <string_view>\n#include <utility>\n\n#include \"client/client.h\"\n#include "
      "\"{}.pb.h\"\n\n",
      file.stem);
  text += open_namespace(file);
  for (const service_model& service : file.services)
    text += client_class(service) + "\n";
  return text + close_namespace(file);
}

}  // namespace grove::plugin
