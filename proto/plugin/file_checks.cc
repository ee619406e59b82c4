// SPDX-License-Identifier: Apache-2.0
#include "proto/plugin/file_checks.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "proto/plugin/cpp_names.h"

namespace grove::plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileOptions;
using google::protobuf::MethodDescriptor;

void check_options(const FileDescriptor& file, faults& found) {
  if (file.options().optimize_for() == FileOptions::LITE_RUNTIME) {
    found.add_at({FileDescriptorProto::kOptionsFieldNumber, FileOptions::kOptimizeForFieldNumber},
                 "optimize_for = LITE_RUNTIME makes messages without descriptors, which actors need for JSON and for "
                 "`grove describe`; take the option away, or put the services into a file without it");
  }
  if (file.options().cc_generic_services()) {
    found.add_at({FileDescriptorProto::kOptionsFieldNumber, FileOptions::kCcGenericServicesFieldNumber},
                 "cc_generic_services makes a C++ class of the same name of every service; take the option away, Grove "
                 "needs nothing of it");
  }
}

void check_package(const FileDescriptor& file, faults& found) {
  const std::string package = file.package() + ".";
  std::size_t begin = 0;
  for (std::size_t dot = package.find('.'); dot != std::string::npos; dot = package.find('.', begin)) {
    const std::string part = package.substr(begin, dot - begin);
    if (is_taken_by_cpp(part) || part == "std") {
      found.add_at({FileDescriptorProto::kPackageFieldNumber},
                   fmt::format("C++ cannot have a namespace '{}', and protobuf does not rename it; use another package "
                               "than '{}'",
                               part, file.package()));
    }
    begin = dot + 1;
  }
}

/// The messages that can be reached from requests, responses and states, each once.
std::vector<const Descriptor*> reachable_messages(const FileDescriptor& file, const file_model& model) {
  std::vector<const Descriptor*> found;
  std::set<const Descriptor*> seen;
  const auto add = [&](const Descriptor* message) {
    if (message != nullptr && seen.insert(message).second) found.push_back(message);
  };
  for (const service_model& service : model.services) {
    add(service.state_message);
    for (int i = 0; i < file.service(service.index)->method_count(); ++i) {
      add(file.service(service.index)->method(i)->input_type());
      add(file.service(service.index)->method(i)->output_type());
    }
  }
  // Grows while it is read.
  for (std::size_t at = 0; at < found.size(); ++at) {
    const Descriptor& message = *found[at];
    for (int i = 0; i < message.field_count(); ++i)
      add(message.field(i)->message_type());
  }
  return found;
}

void check_message(const Descriptor& message, faults& found) {
  if (message.name() == "std" && message.containing_type() == nullptr) {
    found.add(message, "protobuf's code for a message 'std' does not compile; give the message another name");
  }
  if (is_unknown_to_protobuf(google::protobuf::compiler::cpp::ClassName(&message))) {
    found.add(message,
              fmt::format("'{}' is a keyword of C++20, which protobuf does not rename; give the message another "
                          "name",
                          message.name()));
  }
  std::map<std::string, const FieldDescriptor*> by_json_name;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (is_unknown_to_protobuf(google::protobuf::compiler::cpp::FieldName(&field))) {
      found.add(field, fmt::format("'{}' is a keyword of C++20, which protobuf does not rename; give the field another "
                                   "name (its number and a json_name keep what is sent as it is)",
                                   field.name()));
    }
    const auto [other, is_new] = by_json_name.emplace(field.json_name(), &field);
    if (!is_new) {
      found.add(field,
                fmt::format("field '{}' has the JSON name '{}' of field '{}'{}; give one of them another json_name",
                            field.name(), field.json_name(), other->second->name(), line_of(*other->second)));
    }
  }
  // JSON input may also use the name in the file.
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const auto other = by_json_name.find(field.name());
    if (other != by_json_name.end() && other->second != &field) {
      found.add(field,
                fmt::format("field '{}' is named as the JSON name of field '{}'{}: JSON input could mean either; "
                            "give that one another json_name",
                            field.name(), other->second->name(), line_of(*other->second)));
    }
  }
}

void check_methods(const FileDescriptor& file, const service_model& service, faults& found) {
  std::map<std::string, const MethodDescriptor*> taken;
  const auto take = [&](const std::string& name, const MethodDescriptor& method) {
    const auto [other, is_new] = taken.emplace(name, &method);
    if (is_new || other->second == &method) return;
    found.add(method, fmt::format("method '{}' and method '{}'{} would both make a C++ function {}; rename one of them",
                                  method.name(), other->second->name(), line_of(*other->second), name));
  };
  for (const method_model& model : service.methods) {
    const MethodDescriptor& method = *file.service(service.index)->method(model.index);
    take(model.cpp_name, method);
    if (!model.streaming) take("tell_" + model.cpp_name, method);
  }
}

void check_services(const FileDescriptor& file, const file_model& model, faults& found) {
  const std::set<std::string> in_namespace = names_in_namespace(file);
  std::map<std::string, std::string> taken;
  std::map<std::string, std::string> types;
  for (const service_model& service : model.services) {
    const auto& at = *file.service(service.index);
    for (const std::string& name : {service.cpp_name, service.cpp_name + "Client"}) {
      if (in_namespace.contains(name)) {
        found.add(at, fmt::format("service '{}' makes a C++ class {}, but {} is taken in its namespace already; rename "
                                  "the service, or put it into a package of its own",
                                  service.name, name, name));
      }
      const auto [other, is_new] = taken.emplace(name, service.name);
      if (!is_new) {
        found.add(at, fmt::format("service '{}' and service '{}' would both make a C++ class {}; rename one of them",
                                  service.name, other->second, name));
      }
    }
    const auto [other, is_new] = types.emplace(service.actor_type, service.name);
    if (!is_new) {
      found.add(at, fmt::format("service '{}' is the actor type '{}' as service '{}' is; give one of them another name",
                                service.name, service.actor_type, other->second));
    }
    check_methods(file, service, found);
  }
}

}  // namespace

void check_file(const FileDescriptor& file, const file_model& model, faults& found) {
  if (model.services.empty()) return;  // Nothing is made of it.
  check_options(file, found);
  check_package(file, found);
  check_services(file, model, found);
  for (const Descriptor* const message : reachable_messages(file, model))
    check_message(*message, found);
}

}  // namespace grove::plugin
