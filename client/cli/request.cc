// SPDX-License-Identifier: Apache-2.0
#include "client/cli/request.h"

#include <utility>

#include "base/clock.h"
#include "base/limit_text.h"
#include "base/text.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"

namespace grove::cli {
namespace {

[[nodiscard]] std::pair<std::string, std::string> parse_metadata(const std::string& entry) {
  const auto equals = entry.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw wrong_usage("--metadata: \"" + entry + "\" is no NAME=VALUE; for example tenant=blue");
  }
  std::pair<std::string, std::string> parsed{entry.substr(0, equals), entry.substr(equals + 1)};
  require_utf8("a name of the metadata", parsed.first);
  require_utf8("the metadata '" + printable(parsed.first, 64) + "'", parsed.second);
  return parsed;
}

/// Said of all the time that was asked for, of which the call itself gets what is left.
void refuse_too_long(const common_options& options, const std::optional<server_info>& info) {
  if (!info || info->call_time_max.count() == 0 || options.timeout <= info->call_time_max) return;
  throw call_failed({status_code::invalid_argument, over_time_limit_text(options.timeout, info->call_time_max)},
                    outcome::not_executed);
}

}  // namespace

void add_request_arguments(CLI::App& command, request_arguments& into, prints what, const std::string& standard_time) {
  command.add_option("TARGET", into.target, "The actor, as TYPE/KEY")->required()->type_name("");
  command.add_option("METHOD", into.method, "The method")->required()->type_name("");
  command.add_option("JSON", into.json, "The request: JSON, - for the standard input, @FILE for a file; default {}")
      ->type_name("");
  command
      .add_option("-m,--metadata", into.metadata,
                  "Something to say beside the request, for the actor to read; it may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  add_common_options(command, into.common, what, standard_time);
}

ready_request make_request(client& server, const request_arguments& arguments, streaming kind,
                           const environment& where) {
  ready_request made;
  made.target = parse_target(arguments.target);
  require_utf8("the method", arguments.method);
  require_utf8("the idempotency key", arguments.idempotency_key);
  made.options.idempotency_key = arguments.idempotency_key;
  for (const std::string& entry : arguments.metadata)
    made.options.metadata.push_back(parse_metadata(entry));
  const std::string json = json_from(arguments.json, where.in);
  const steady_time begun_at = std::chrono::steady_clock::now();
  reach(server, arguments.common, where);
  const auto info = server.info();
  if (kind == streaming::no) refuse_too_long(arguments.common, info);
  made.type = std::make_unique<described_type>(server, made.target.type, call_options_of(arguments.common, begun_at));
  made.method = &made.type->method(arguments.method);
  if (made.method->server_streaming() != (kind == streaming::yes)) {
    const std::string name = made.target.type + "." + made.method->name();
    throw wrong_usage(kind == streaming::yes
                          ? name + " answers once; use: grove call " + arguments.target + " " + made.method->name()
                          : name + " is a streaming method; use: grove watch " + arguments.target + " " +
                                made.method->name());
  }
  const auto message = made.type->make(*made.method->input_type());
  const status fits = read_json(json, info ? info->nesting_max : server_info{}.nesting_max, *message);
  if (!fits.ok()) throw call_failed(fits, outcome::not_executed);
  made.payload = message->SerializeAsString();
  made.options.timeout = call_options_of(arguments.common, begun_at).timeout;
  return made;
}

}  // namespace grove::cli
