// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>
#include <string>
#include <string_view>

#include "client/client.h"
#include "grove/v1/system.pb.h"

namespace grove::cli {

enum class comments : bool { no, yes };

/// An actor type as a server describes it: its messages can be read and written without their code.
class described_type {
 public:
  /// Asks the server. Errors: command_error (NOT_FOUND names the nearest type).
  described_type(client& server, const std::string& type, const call_options& options, comments wanted = comments::no);
  /// From a description. Errors: command_error (INTERNAL) when it does not hold together.
  explicit described_type(v1::SystemDescribeResponse description);

  [[nodiscard]] const v1::SystemDescribeResponse& description() const noexcept { return description_; }
  [[nodiscard]] const std::string& name() const noexcept { return description_.type().name(); }
  [[nodiscard]] const google::protobuf::ServiceDescriptor& service() const noexcept { return *service_; }

  /// Errors: command_error (UNIMPLEMENTED) that lists the methods and names the nearest.
  [[nodiscard]] const google::protobuf::MethodDescriptor& method(std::string_view name) const;

  [[nodiscard]] std::unique_ptr<google::protobuf::Message> make(const google::protobuf::Descriptor& type);

 private:
  v1::SystemDescribeResponse description_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_{&pool_};
  const google::protobuf::ServiceDescriptor* service_ = nullptr;
};

}  // namespace grove::cli
