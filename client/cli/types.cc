// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/system_calls.h"
#include "client/cli/table.h"
#include "grove/v1/system.pb.h"

namespace grove::cli {
namespace {

void run_types(const common_options& options, const environment& where) {
  client server{connection_of(options, where)};
  reach(server, options, where);
  const auto answer =
      ask_system<v1::SystemTypesResponse>(server, "Types", v1::SystemTypesRequest{}, call_options_of(options));
  if (options.json) {
    print_json(write_json(answer), options, where);
    return;
  }
  table rows{{{"TYPE"}, {"METHODS"}}};
  for (const v1::ActorType& type : answer.types()) {
    std::string methods;
    for (const v1::ActorMethod& method : type.methods()) {
      methods.append(methods.empty() ? "" : ", ").append(method.name());
      if (method.streaming()) methods += " (streaming)";
    }
    rows.add({type.name(), methods});
  }
  rows.print(where.out, where.colour);
}

}  // namespace

void add_types(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "types", "List the actor types of the server and their methods");
  auto options = std::make_shared<common_options>();
  add_common_options(*command, *options, prints::table);
  command->footer("Example:\n  grove types");
  command->callback([options, &where] { run_types(*options, where); });
}

}  // namespace grove::cli
