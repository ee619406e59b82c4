// SPDX-License-Identifier: Apache-2.0
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>
#include <system_error>

#include "base/exit_codes.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/request.h"

namespace grove::cli {
namespace {

constexpr int interrupted = 128 + SIGINT;

/// Why a watch is over.
struct watch_end {
  std::optional<call_result> result;  ///< The stream's own end; nothing when a signal was first,
  int write_error = 0;                ///< or when an item could not be printed: errno.
};

/// Prints each item as it comes.
[[nodiscard]] watch_end follow(const ready_request& request, const request_arguments& arguments,
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
  watch_end end;
  const auto print = [&where, &item, &end](std::string_view bytes) {
    if (end.write_error != 0 || !item->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    errno = 0;
    where.out << write_json(*item) << std::endl;
    if (!where.out) end.write_error = errno != 0 ? errno : EIO;
  };
  bool done = false;
  server.async_watch(request.target.type, request.target.key, request.method->name(), request.payload, print,
                     request.options,
                     asio::bind_cancellation_slot(stop.slot(), [&](const asio::error_code& error, call_result result) {
                       if (!error) end.result = std::move(result);
                       done = true;
                     }));
  while (!done && end.write_error == 0)
    io.run_one();
  return end;
}

void run(const request_arguments& arguments, const environment& where) {
  ready_request request;
  {
    client server{connection_of(arguments.common, where)};
    request = make_request(server, arguments, streaming::yes, where);
  }
  const watch_end end = follow(request, arguments, where);
  if (end.write_error == EPIPE) return;  // Its reader has seen enough.
  if (end.write_error != 0) {
    throw command_error{exit_codes::call_failed,
                        "cannot write the output: " + std::generic_category().message(end.write_error)};
  }
  if (!end.result) throw command_error{interrupted, ""};
  if (!end.result->ok()) throw call_failed(end.result->status, end.result->outcome);
}

}  // namespace

void add_watch(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "watch", "Call a streaming method and print each item as a line of JSON");
  auto arguments = std::make_shared<request_arguments>();
  add_request_arguments(*command, *arguments);
  command->footer(
      "Example:\n  grove watch grove.Topic/news Subscribe\nIt ends with the stream (exit code 0, or 1 if "
      "that failed), with Ctrl-C (130), or when nobody\nreads its output any more (0).");
  command->callback([arguments, &where] { run(*arguments, where); });
}

}  // namespace grove::cli
