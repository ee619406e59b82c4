// SPDX-License-Identifier: Apache-2.0
#pragma once

// How names of a .proto file become names of C++ code. Messages and enums follow protobuf's own generator, whose
// classes are used; what that one does with a name that C++ has taken (an underscore behind it) is done here with the
// names of services and methods as well. On the wire, in JSON and for the CLI every name stays as it is in the file.

#include <google/protobuf/descriptor.h>

#include <set>
#include <string>
#include <string_view>

namespace grove::plugin {

/// A keyword of C++20, or a macro of the C library that headers of ours bring with them.
[[nodiscard]] bool is_taken_by_cpp(std::string_view name);

/// A keyword that protobuf 3.21 does not know: its own code for such a name does not compile as C++20.
[[nodiscard]] bool is_unknown_to_protobuf(std::string_view name);

/// The class that protobuf's generator makes of a message: "::bank::Account_Entry" for Entry in Account.
[[nodiscard]] std::string cpp_type(const google::protobuf::Descriptor& message);

/// "bank::v1"; empty for a file without a package.
[[nodiscard]] std::string cpp_namespace(const google::protobuf::FileDescriptor& file);

/// The struct that is made of a service.
[[nodiscard]] std::string cpp_service(const std::string& name);

/// The functions that are made of a method of the service `owner` (its C++ name): in Actor, Ref and the client.
/// Names of grove::actor, of which Actor is made, are taken as well.
[[nodiscard]] std::string cpp_method(const std::string& name, const std::string& owner);

/// What the namespace of `package` holds in C++ as far as `file` and what it imports show: classes of messages, nested
/// ones too, enums, values of enums and extensions.
[[nodiscard]] std::set<std::string> names_in_namespace(const google::protobuf::FileDescriptor& file);

/// `text` as it stands between the quotes of a C++ string literal.
[[nodiscard]] std::string in_literal(std::string_view text);

}  // namespace grove::plugin
