// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/described_type.h"
#include "client/cli/environment.h"
#include "client/cli/options.h"

namespace grove::cli {

/// The arguments that `call`, `tell` and `watch` share.
struct request_arguments {
  std::string target;
  std::string method;
  std::string json = "{}";
  std::string idempotency_key;
  std::vector<std::string> metadata;  ///< --metadata, each NAME=VALUE.
  common_options common;
};

/// `standard_time` is what the help says of the time of a request without --timeout.
void add_request_arguments(CLI::App& command, request_arguments& into, prints what,
                           const std::string& standard_time = "30s");

/// A request made ready from its arguments: the type asked for, the JSON encoded.
struct ready_request {
  actor_target target;
  std::unique_ptr<described_type> type;
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::string payload;
  call_options options;
};

enum class streaming : bool { no, yes };

/// Errors: command_error when the server cannot be reached, the type or method does not exist, the JSON does not fit,
/// or the method is not `kind`.
[[nodiscard]] ready_request make_request(client& server, const request_arguments& arguments, streaming kind,
                                         const environment& where);

}  // namespace grove::cli
