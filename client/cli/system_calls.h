// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "client/cli/environment.h"

namespace grove::cli {

/// Calls a method of grove.System, which every worker answers.
/// Errors: command_error.
template <class Response, class Request>
[[nodiscard]] Response ask_system(client& server, std::string_view method, const Request& request,
                                  const call_options& options) {
  try {
    return server.call_typed<Response>("grove.System", "-", method, request, options);
  } catch (const call_error& failure) {
    throw call_failed({failure.code(), failure.what()}, failure.outcome());
  }
}

}  // namespace grove::cli
