// SPDX-License-Identifier: Apache-2.0
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>

#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/request.h"

namespace grove::cli {
namespace {

constexpr int interrupted = 128 + SIGINT;

/// Prints each item as it comes. Returns how the stream ended; nothing when a signal ended it.
[[nodiscard]] std::optional<call_result> follow(const ready_request& request, const request_arguments& arguments,
                                                const environment& where) {
  // A loop of this thread's own, so that a signal meets the call between two items.
  asio::io_context io{1};
  client server{io, connection_of(arguments.common, where)};
  asio::cancellation_signal stop;
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&stop](const asio::error_code& error, int) {
    if (!error) stop.emit(asio::cancellation_type::terminal);
  });
  const auto item = request.type->make(*request.method->output_type());
  const auto print = [&where, &item](std::string_view bytes) {
    if (item->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) where.out << write_json(*item) << std::endl;
  };
  std::optional<call_result> ended;
  bool done = false;
  server.async_watch(request.target.type, request.target.key, request.method->name(), request.payload, print,
                     request.options,
                     asio::bind_cancellation_slot(stop.slot(), [&](const asio::error_code& error, call_result result) {
                       if (!error) ended = std::move(result);
                       done = true;
                     }));
  while (!done && where.out.good())
    io.run_one();
  return ended;
}

void run(const request_arguments& arguments, const environment& where) {
  ready_request request;
  {
    client server{connection_of(arguments.common, where)};
    request = make_request(server, arguments, streaming::yes, where);
  }
  const auto ended = follow(request, arguments, where);
  if (!ended) throw command_error{interrupted, ""};
  if (!ended->ok()) throw call_failed(ended->status, ended->outcome);
}

}  // namespace

void add_watch(CLI::App& app, const environment& where) {
  auto* command = app.add_subcommand("watch", "Call a streaming method and print each item as a line of JSON");
  auto arguments = std::make_shared<request_arguments>();
  add_request_arguments(*command, *arguments);
  command->footer("Example:\n  grove watch grove.Topic/news Subscribe\nIt ends with the stream, or with Ctrl-C.");
  command->callback([arguments, &where] { run(*arguments, where); });
}

}  // namespace grove::cli
