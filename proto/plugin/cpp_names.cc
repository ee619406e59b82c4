// SPDX-License-Identifier: Apache-2.0
#include "proto/plugin/cpp_names.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/cpp/names.h>

#include <algorithm>
#include <array>

namespace grove::plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;

// Each list is sorted, for the search.
constexpr std::array<std::string_view, 85> keywords{"NULL",         "alignas",    "alignof",
                                                    "and",          "and_eq",     "asm",
                                                    "auto",         "bitand",     "bitor",
                                                    "bool",         "break",      "case",
                                                    "catch",        "char",       "char16_t",
                                                    "char32_t",     "class",      "compl",
                                                    "const",        "const_cast", "constexpr",
                                                    "continue",     "decltype",   "default",
                                                    "delete",       "do",         "double",
                                                    "dynamic_cast", "else",       "enum",
                                                    "explicit",     "export",     "extern",
                                                    "false",        "float",      "for",
                                                    "friend",       "goto",       "if",
                                                    "inline",       "int",        "long",
                                                    "mutable",      "namespace",  "new",
                                                    "noexcept",     "not",        "not_eq",
                                                    "nullptr",      "operator",   "or",
                                                    "or_eq",        "private",    "protected",
                                                    "public",       "register",   "reinterpret_cast",
                                                    "return",       "short",      "signed",
                                                    "sizeof",       "static",     "static_assert",
                                                    "static_cast",  "struct",     "switch",
                                                    "template",     "this",       "thread_local",
                                                    "throw",        "true",       "try",
                                                    "typedef",      "typeid",     "typename",
                                                    "union",        "unsigned",   "using",
                                                    "virtual",      "void",       "volatile",
                                                    "wchar_t",      "while",      "xor",
                                                    "xor_eq"};
constexpr std::array<std::string_view, 8> keywords_of_cpp20{"char8_t", "co_await",  "co_return", "co_yield",
                                                            "concept", "consteval", "constinit", "requires"};
constexpr std::array<std::string_view, 8> macros{"EOF",    "assert", "errno", "offsetof",
                                                 "setjmp", "stderr", "stdin", "stdout"};

/// What Actor, Ref and the client have by themselves, and what an author calls of grove::actor (worker/actor/actor.h).
constexpr std::array<std::string_view, 18> members{
    "Actor",        "Ref", "actor_type",     "grove_client_", "grove_definition",   "grove_key_",
    "grove_owner_", "key", "metadata",       "on_activate",   "on_passivate",       "on_stream_closed",
    "owner",        "ref", "remember_state", "state",         "state_without_undo", "stored_state"};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name);
}
static_assert(std::ranges::is_sorted(keywords) && std::ranges::is_sorted(keywords_of_cpp20) &&
              std::ranges::is_sorted(macros) && std::ranges::is_sorted(members));

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

template <class Scope>
void add_enums(const Scope& scope, bool with_values, std::set<std::string>& into) {
  for (int i = 0; i < scope.enum_type_count(); ++i) {
    const EnumDescriptor& type = *scope.enum_type(i);
    into.insert(google::protobuf::compiler::cpp::ClassName(&type));
    // Those of nested enums are reached through the class; what stands for them in the namespace has the enum's name
    // in front.
    for (int v = 0; with_values && v < type.value_count(); ++v)
      into.insert(google::protobuf::compiler::cpp::EnumValueName(type.value(v)));
  }
}

// protoc lets messages be nested 32 deep at most.
void add_message(const Descriptor& message, std::set<std::string>& into) {  // NOLINT(misc-no-recursion)
  into.insert(google::protobuf::compiler::cpp::ClassName(&message));
  add_enums(message, false, into);
  for (int i = 0; i < message.nested_type_count(); ++i)
    add_message(*message.nested_type(i), into);
}

void add_file(const FileDescriptor& file, const std::string& package, std::set<const FileDescriptor*>& seen,
              std::set<std::string>& into) {  // NOLINT(misc-no-recursion)
  if (!seen.insert(&file).second) return;
  if (file.package() == package) {
    for (int i = 0; i < file.message_type_count(); ++i)
      add_message(*file.message_type(i), into);
    add_enums(file, true, into);
    for (int i = 0; i < file.extension_count(); ++i)
      into.insert(file.extension(i)->name());
  }
  for (int i = 0; i < file.dependency_count(); ++i)
    add_file(*file.dependency(i), package, seen, into);
}

}  // namespace

bool is_unknown_to_protobuf(std::string_view name) {
  return has(keywords_of_cpp20, name);
}

bool is_taken_by_cpp(std::string_view name) {
  return has(keywords, name) || has(keywords_of_cpp20, name) || has(macros, name);
}

std::string cpp_type(const Descriptor& message) {
  return google::protobuf::compiler::cpp::QualifiedClassName(&message);
}

std::string cpp_namespace(const FileDescriptor& file) {
  return replace_all(file.package(), ".", "::");
}

std::string cpp_service(const std::string& name) {
  // A member must not be named as its class.
  return is_taken_by_cpp(name) || name == "Actor" || name == "Ref" || name == "actor_type" ? name + "_" : name;
}

std::string cpp_method(const std::string& name, const std::string& owner) {
  return is_taken_by_cpp(name) || has(members, name) || name == owner + "Client" ? name + "_" : name;
}

std::set<std::string> names_in_namespace(const FileDescriptor& file) {
  std::set<std::string> names;
  std::set<const FileDescriptor*> seen;
  add_file(file, file.package(), seen, names);
  if (file.package().empty()) names.insert({"asio", "fmt", "google", "grove", "std"});
  return names;
}

std::string in_literal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      escaped += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace grove::plugin
