// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/plugin/faults.h"

namespace grove::plugin {

/// One rpc, in the words of the code to be generated.
struct method_model {
  std::string name;      ///< On the wire: "Deposit".
  std::string cpp_name;  ///< The same, unless C++ has taken it: "delete_".
  std::string request;   ///< C++ type: "::bank::DepositRequest".
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
  std::string cpp_name;    ///< The same, unless C++ has taken it: "class_".
  std::string actor_type;  ///< "bank.Account", or what its options say.
  std::string state;       ///< C++ type, or empty.
  const google::protobuf::Descriptor* state_message = nullptr;
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
  std::string comments;  ///< As of encoded_comments().
};

/// Reads what is to be generated from `file`: the services that carry the option (grove.v1.actor).
/// Errors: goes into `found`, all at once: a request stream, a service without methods, an unknown state message, an
/// idle_timeout that is no duration, a name that no address can have.
[[nodiscard]] file_model read_model(const google::protobuf::FileDescriptor& file, faults& found);

}  // namespace grove::plugin
