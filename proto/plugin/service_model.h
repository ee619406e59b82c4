// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace grove::plugin {

/// One rpc, in the words of the code to be generated.
struct method_model {
  std::string name;
  std::string request;  ///< C++ type: "::bank::DepositRequest".
  std::string response;
  std::string comment;  ///< Ready to print: "/// ..." lines, or empty.
  int index = 0;
  bool read_only = false;
  bool interleave = false;
  bool streaming = false;
};

/// One service that is an actor type.
struct service_model {
  std::string name;        ///< "Account".
  std::string actor_type;  ///< "bank.Account", or what its options say.
  std::string state;       ///< C++ type, or empty.
  std::string comment;
  int index = 0;
  bool local = false;
  std::optional<std::uint64_t> idle_timeout_ms;
  std::vector<method_model> methods;
};

/// One .proto file.
struct file_model {
  std::string source;         ///< "bank/account.proto".
  std::string stem;           ///< "bank/account".
  std::string cpp_namespace;  ///< "bank::v1".
  std::vector<service_model> services;
};

/// Reads what is to be generated from `file`: the services that carry the option (grove.v1.actor).
/// Errors: false with a text that names the place for what cannot be generated: a request stream, an unknown
/// state message, an idle_timeout that is no duration.
[[nodiscard]] bool read_model(const google::protobuf::FileDescriptor& file, file_model& into, std::string& error);

}  // namespace grove::plugin
