// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "client/cli/commands.h"
#include "client/cli/request.h"

namespace grove::cli {
namespace {

void run_tell(const request_arguments& arguments, const environment& where) {
  client server{connection_of(arguments.common, where)};
  const ready_request request = make_request(server, arguments, streaming::no, where);
  const call_result result =
      server.tell(request.target.type, request.target.key, request.method->name(), request.payload, request.options);
  if (!result.ok()) throw call_failed(result.status, result.outcome, request.target);
}

}  // namespace

void add_tell(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "tell", "Send a message to an actor; done as soon as it is in the actor's mailbox");
  auto arguments = std::make_shared<request_arguments>();
  add_request_arguments(*command, *arguments, prints::nothing);
  command->footer("Example:\n  grove tell grove.Counter/visits Add '{\"by\":2}'");
  command->callback([arguments, &where] { run_tell(*arguments, where); });
}

}  // namespace grove::cli
