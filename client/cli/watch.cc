// SPDX-License-Identifier: Apache-2.0
// `grove watch`: a stream that goes on.
//
// A stream is cut by whatever ends its connection: a server that restarts or drains, a worker that dies, a proxy that is
// tired of silence. Nobody who watches asked for that, so it is opened again, with pauses that grow while nothing is
// reached. The server keeps no items for those who are away: stderr says that some may be missing.
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>
#include <random>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/random.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/output.h"
#include "client/cli/request.h"
#include "client/retry.h"

namespace grove::cli {
namespace {

using std::chrono::steady_clock;

constexpr int interrupted = 128 + SIGINT;
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{5'000};
constexpr std::chrono::seconds settled_after{5};

struct watch_arguments : request_arguments {
  bool no_reconnect = false;
};

/// The stream has lost what it came over; whatever else ends it would end it again.
[[nodiscard]] bool was_cut(const call_result& end) {
  return end.status.code() == status_code::unavailable;
}

[[nodiscard]] command_error watch_failed(const call_result& end, const actor_target& target) {
  // Whether its handler has run is no question of a stream.
  if (end.outcome == outcome::executed || end.outcome == outcome::not_executed) {
    return call_failed(end.status, end.outcome, target);
  }
  return {exit_codes::call_failed, end.status.to_string() + " (the stream was cut)"};
}

/// Follows a stream in a loop of this thread's own, so that a signal meets it between two items.
class follower {
 public:
  follower(const ready_request& request, const watch_arguments& arguments, const environment& where)
      : request_{request},
        arguments_{arguments},
        where_{where},
        options_{request.options},
        server_{io_, connection_of(arguments.common, where)},
        item_{request.type->make(*request.method->output_type())} {
    if (options_.timeout.count() != 0) give_up_at_ = time_after(steady_clock::now(), options_.timeout);
  }

  /// Returns when the stream has ended well, or nobody reads its items any more.
  /// Errors: command_error for another end, and for a signal.
  void run() {
    signals_.async_wait([this](const asio::error_code& error, int) {
      if (error) return;
      stopped_ = true;
      signals_.clear();  // A second one ends the program at once.
      stop_.emit(asio::cancellation_type::terminal);
      pause_.cancel();
    });
    start();
    while (!over_)
      io_.run_one();
    if (stopped_) throw command_error{interrupted, ""};
    if (end_ && !end_->ok()) throw watch_failed(*end_, request_.target);
  }

 private:
  void start() {
    begun_at_ = steady_clock::now();
    had_items_ = false;
    server_.async_watch(
        request_.target.type, request_.target.key, request_.method->name(), request_.payload,
        [this](std::string_view bytes) { print(bytes); }, options_,
        asio::bind_cancellation_slot(stop_.slot(), [this](const asio::error_code& error, call_result result) {
          if (over_) return;
          if (error || stopped_) {
            over_ = true;
          } else {
            ended(std::move(result));
          }
        }));
  }

  void ended(call_result&& result) {
    if (was_cut(result) && !arguments_.no_reconnect && time_is_left()) return connect_again(result);
    end_ = std::move(result);
    over_ = true;
  }

  void connect_again(const call_result& end) {
    if (has_lasted()) failures_ = 0;
    // One line is enough for a server that cannot be reached, or that cuts what has just begun.
    if (failures_ == 0) {
      print_error(where_.err,
                  "the stream was cut (" + end.status.message() + "); connecting again, items may be missing");
    }
    pause_.expires_after(jittered_pause(first_pause, longest_pause, ++failures_, random_));
    pause_.async_wait([this](const asio::error_code&) {
      if (stopped_ || !time_is_left()) {
        if (!stopped_) end_ = call_result{{status_code::deadline_exceeded, "the time of --timeout is over"}, {}, {}};
        over_ = true;
      } else {
        start();
      }
    });
  }

  [[nodiscard]] bool has_lasted() const {
    return had_items_ || steady_clock::now() >= time_after(begun_at_, settled_after);
  }

  /// Also takes what is over from the time of the next attempt.
  [[nodiscard]] bool time_is_left() {
    if (!give_up_at_) return true;
    options_.timeout = std::chrono::duration_cast<std::chrono::microseconds>(*give_up_at_ - steady_clock::now());
    return options_.timeout.count() > 0;
  }

  void print(std::string_view bytes) {
    if (over_ || !item_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    had_items_ = true;
    print_json(write_json(*item_), arguments_.common, where_);
    // Why it could not be written is said where every command's output is looked at.
    if (flush_and_look(where_.out) != 0) over_ = true;
  }

  const ready_request& request_;
  const watch_arguments& arguments_;
  const environment& where_;
  call_options options_;
  std::optional<steady_clock::time_point> give_up_at_;
  asio::io_context io_{1};
  asio::cancellation_signal stop_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  asio::steady_timer pause_{io_};
  random_source random_{std::random_device{}()};
  client server_;
  std::unique_ptr<google::protobuf::Message> item_;
  std::optional<call_result> end_;
  steady_clock::time_point begun_at_{};
  bool had_items_ = false;
  unsigned failures_ = 0;  ///< Attempts in a row that came to nothing.
  bool stopped_ = false;   ///< By a signal.
  bool over_ = false;
};

void run_watch(const watch_arguments& arguments, const environment& where) {
  ready_request request;
  {
    client server{connection_of(arguments.common, where)};
    request = make_request(server, arguments, streaming::yes, where);
  }
  follower{request, arguments, where}.run();
}

}  // namespace

void add_watch(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "watch", "Call a streaming method and print each item as JSON");
  auto arguments = std::make_shared<watch_arguments>();
  add_request_arguments(*command, *arguments, prints::json_only, "no end");
  command->add_flag("--no-reconnect", arguments->no_reconnect,
                    "End when the stream is cut, instead of opening it again");
  command->footer(
      "Example:\n  grove watch grove.Topic/news Subscribe\n"
      "Each item is a line; on a terminal it is indented unless --compact is given.\n"
      "It ends with the stream (exit code 0, or 1 if that failed), with Ctrl-C (130),\n"
      "or when nobody reads its output any more (0). A stream that is cut, by a restart\n"
      "of the server for example, is opened again; items in between may be missing.");
  command->callback([arguments, &where] { run_watch(*arguments, where); });
}

}  // namespace grove::cli
