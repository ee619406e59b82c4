// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/output.h"
#include "client/cli/request.h"

namespace grove::cli {
namespace {

void run_call(const request_arguments& arguments, const environment& where) {
  client server{connection_of(arguments.common, where)};
  const ready_request request = make_request(server, arguments, streaming::no, where);
  const call_result result =
      server.call(request.target.type, request.target.key, request.method->name(), request.payload, request.options);
  if (!result.ok()) throw call_failed(result.status, result.outcome, request.target);
  const auto response = request.type->make(*request.method->output_type());
  if (!response->ParseFromString(result.payload)) {
    throw call_failed({status_code::internal, "the response is no " + request.method->output_type()->full_name()},
                      outcome::executed);
  }
  print_json(write_json(*response), arguments.common, where);
}

}  // namespace

void add_call(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "call", "Call a method of an actor and print its reply as JSON");
  auto arguments = std::make_shared<request_arguments>();
  add_request_arguments(*command, *arguments, prints::json_only);
  // Servers of this version refuse it, so the help is silent about it.
  command
      ->add_option("--idempotency-key", arguments->idempotency_key,
                   "Make the effects happen once however often this is sent")
      ->group("");
  command->footer(
      "Example:\n  grove call grove.Counter/visits Add '{\"by\":2}'\n  echo '{\"by\":2}' | grove call "
      "grove.Counter/visits Add -");
  command->callback([arguments, &where] { run_call(*arguments, where); });
}

}  // namespace grove::cli
