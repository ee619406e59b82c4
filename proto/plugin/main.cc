// SPDX-License-Identifier: Apache-2.0
// protoc-gen-grove: for every service with the option (grove.v1.actor) the base class of its actors, a typed
// reference and a typed client. Run by protoc: `protoc --grove_out=DIR bank/account.proto`.

#include <google/protobuf/compiler/code_generator.h>
#include <google/protobuf/compiler/plugin.h>
#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/plugin/file_checks.h"
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
    grove::plugin::faults found{*file};
    const grove::plugin::file_model model = grove::plugin::read_model(*file, found);
    grove::plugin::check_file(*file, model, found);
    if (!found.none()) {
      *error = found.text();
      return false;
    }
    write(*context, model.stem + ".actor.h", grove::plugin::actor_header(model));
    write(*context, model.stem + ".actor.cc", grove::plugin::actor_source(model));
    write(*context, model.stem + ".client.h", grove::plugin::client_header(model));
    return true;
  }

  // The base would put the file's name in front once more.
  bool GenerateAll(const std::vector<const FileDescriptor*>& files, const std::string& parameter,
                   GeneratorContext* context, std::string* error) const override {
    for (const FileDescriptor* const file : files) {
      std::string wrong;
      if (Generate(file, parameter, context, &wrong)) continue;
      error->append(error->empty() ? "" : "\n").append(wrong);
    }
    return error->empty();
  }

  std::uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace

int main(int argc, char** argv) {
  const actor_generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
