// SPDX-License-Identifier: Apache-2.0
// protoc-gen-grove: for every service with the option (grove.v1.actor) the base class of its actors, a typed
// reference and a typed client. Run by protoc: `protoc --grove_out=DIR bank/account.proto`.

#include <google/protobuf/compiler/code_generator.h>
#include <google/protobuf/compiler/plugin.h>
#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>
#include <string>

#include "proto/plugin/files.h"

namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;

void write(GeneratorContext& context, const std::string& name, const std::string& text) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> file{context.Open(name)};
  google::protobuf::io::Printer printer{file.get(), '$'};
  printer.PrintRaw(text);
}

class actor_generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const FileDescriptor* file, const std::string& parameter, GeneratorContext* context,
                std::string* error) const override {
    if (!parameter.empty()) {
      *error = "protoc-gen-grove takes no parameters, but got '" + parameter + "'";
      return false;
    }
    grove::plugin::file_model model;
    if (!grove::plugin::read_model(*file, model, *error)) return false;
    for (const auto& service : model.services) {
      if (service.methods.empty()) {
        *error = "service " + service.name + " has no methods";
        return false;
      }
    }
    write(*context, model.stem + ".actor.h", grove::plugin::actor_header(model));
    write(*context, model.stem + ".actor.cc", grove::plugin::actor_source(model));
    write(*context, model.stem + ".client.h", grove::plugin::client_header(model));
    return true;
  }

  std::uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace

int main(int argc, char** argv) {
  const actor_generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
