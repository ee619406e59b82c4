// SPDX-License-Identifier: Apache-2.0
#include "client/cli/described_type.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "client/cli/environment.h"
#include "client/cli/system_calls.h"

namespace grove::cli {
namespace {

/// Gathers what a descriptor pool complains of.
class complaints final : public google::protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const google::protobuf::Message*, ErrorLocation,
                const std::string& text) override {
    if (!first.empty()) return;
    first.append(file).append(": ").append(element).append(": ").append(text);
  }
  std::string first;
};

[[nodiscard]] v1::SystemDescribeResponse ask(client& server, const std::string& type, const call_options& options,
                                             comments wanted) {
  v1::SystemDescribeRequest request;
  request.set_type(type);
  request.set_comments(wanted == comments::yes);
  // It may be asked on behalf of a stream, which has more time than a call may have.
  call_options within = options;
  const auto info = server.info();
  if (info && info->call_time_max.count() != 0) within.timeout = std::min(within.timeout, info->call_time_max);
  return ask_system<v1::SystemDescribeResponse>(server, "Describe", request, within);
}

}  // namespace

described_type::described_type(client& server, const std::string& type, const call_options& options, comments wanted)
    : described_type{ask(server, type, options, wanted)} {}

described_type::described_type(v1::SystemDescribeResponse description) : description_{std::move(description)} {
  for (const auto& file : description_.files().file()) {
    complaints wrong;
    if (pool_.BuildFileCollectingErrors(file, &wrong) == nullptr) {
      throw call_failed({status_code::internal, "the server's description of " + name() + ": " + wrong.first},
                        outcome::executed);
    }
  }
  service_ = pool_.FindServiceByName(description_.type().service());
  if (service_ == nullptr) {
    throw call_failed({status_code::internal, "the server's description of " + name() + " lacks its service"},
                      outcome::executed);
  }
}

const google::protobuf::MethodDescriptor& described_type::method(std::string_view wanted) const {
  std::vector<std::string_view> names;
  for (int i = 0; i < service_->method_count(); ++i) {
    if (service_->method(i)->name() == wanted) return *service_->method(i);
    names.emplace_back(service_->method(i)->name());
  }
  std::string text = name() + " has no method '" + std::string{wanted} + "'";
  if (const std::string_view near = nearest(wanted, names); !near.empty()) {
    text.append("; did you mean ").append(near).append("?");
  } else {
    text += '.';
  }
  text += " It has:";
  for (std::size_t i = 0; i < names.size(); ++i)
    text.append(i == 0 ? " " : ", ").append(names[i]);
  throw call_failed({status_code::unimplemented, text}, outcome::not_executed);
}

std::unique_ptr<google::protobuf::Message> described_type::make(const google::protobuf::Descriptor& type) {
  return std::unique_ptr<google::protobuf::Message>{factory_.GetPrototype(&type)->New()};
}

}  // namespace grove::cli
