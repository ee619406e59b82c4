// SPDX-License-Identifier: Apache-2.0
#include "worker/main/worker_process.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/exit_codes.h"
#include "base/process/inherited_fds.h"
#include "base/text.h"
#include "worker/builtin/builtin.h"
#include "worker/gate/socket_stream.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/main/orphan_guard.h"
#include "worker/main/system_actor.h"

namespace grove {
namespace {

[[nodiscard]] std::vector<int> wake_fds(std::uint32_t workers) {
  std::vector<int> fds;
  for (std::uint32_t slot = 0; slot < workers; ++slot)
    fds.push_back(inherited_fds::wake(slot));
  return fds;
}

/// For the reports of a stack overflow and of a stall: the actor whose turn runs in the greenlet, and the method.
std::size_t label_of_turn(const greenlet& running, char* text, std::size_t text_bytes) noexcept {
  const auto* const t = turn_in(running);
  if (t == nullptr) return 0;
  std::size_t size = 0;
  const auto put = [&](std::string_view part) { size += write_printable(part, text + size, text_bytes - size); };
  put(t->cell.type().name());
  put("/");
  put(t->cell.key());
  if (const message* const handled = t->handled()) {
    put(" ");
    put(t->cell.type().methods()[handled->method].name);
  }
  return size;
}

}  // namespace

worker_process::worker_process(const worker_start& start, shared_segment segment, control_link& control,
                               const process_log& log)
    : start_{start},
      segment_{std::move(segment)},
      slot_{segment_.slot(start_.slot)},
      control_{control},
      log_lines_{*log.lines},
      log_{*log.logger},
      wakes_{wake_fds(segment_.workers())},
      room_{segment_, start_.slot, start_.limits.connections_max, clock_, log_} {
  thread_stacks().set_count_max(start_.limits.stacks_max);
  install_overflow_report(label_of_turn);
  set_unraisable_hook(
      [&to = log_](const greenlet& from, std::string_view text) { to.error("greenlet '{}': {}", from.name(), text); });
  self_.emplace(start_, worker_world{.time = clock_,
                                     .segment = segment_,
                                     .store = store_,
                                     .wakes = wakes_,
                                     .border = static_cast<worker_border&>(*this),
                                     .log = log_,
                                     .add_types = add_builtin_types,
                                     .loop = {}});
  hub& loop = self_->loop();
  wake_watch_ =
      std::make_unique<descriptor_watch>(loop, wakes_.descriptor(start_.slot), [this] { wakes_.clear(start_.slot); });
  open_handoffs();
  control_watch_ = std::make_unique<descriptor_watch>(loop, control_.fd(), [this] { on_control(); });
  open_listeners();
  if (start_.stall_after.count() > 0) watch_stalls();
  if (!start_.backdoor.empty()) open_backdoor();
}

worker_process::~worker_process() {
  // The worker's end runs its hub once more: nothing may call what has gone by then.
  backdoor_.reset();
  control_watch_.reset();
  handoff_watch_.reset();
  wake_watch_.reset();
  listeners_.clear();
  self_.reset();
  set_unraisable_hook({});
}

int worker_process::run() {
  self_->begin();
  if (stalls_) stalls_->start();
  self_->loop().run();
  stalls_.reset();
  return self_->exit_code().value_or(exit_codes::done);
}

/// Where clients come from, and what they speak there.
void worker_process::open_listeners() {
  for (const gate_listener& each : {gate_listener{inherited_fds::listener, frames_}})
    listeners_.push_back(
        std::make_unique<acceptor>(self_->loop(), each, room_.reserve(), static_cast<acceptor_owner&>(*this)));
}

bool worker_process::pass_connection(std::uint32_t slot, byte_stream& stream, std::string_view already_read) {
  if (!room_.has_room(slot)) return false;
  const status sent = send_handoff(inherited_fds::handoff_send(slot), stream.descriptor(), already_read);
  if (!sent.ok()) log_.debug("a connection for worker {} stays here: {}", slot, sent.to_string());
  return sent.ok();
}

void worker_process::open_handoffs() {
  handoffs_ = std::make_unique<handoff_receiver>(
      inherited_fds::handoff_receive(start_.slot), room_.reserve(),
      [this](unique_fd socket, std::string_view bytes) { adopt_passed(std::move(socket), bytes); },
      [this](unique_fd socket, std::string_view) {
        room_.ran_short(EMFILE);
        turn_away(std::move(socket), frames_, EMFILE);
      });
  handoff_watch_ = std::make_unique<descriptor_watch>(self_->loop(), handoffs_->fd(), [this] { take_handoffs(); });
}

/// Only the protocol of frames passes connections.
void worker_process::adopt_passed(unique_fd connected, std::string_view already_read) {
  std::error_code error;
  if (auto stream = socket_stream::make(self_->loop().io(), connected, error)) {
    self_->front().adopt(std::move(stream), frames_, already_read);
  } else {
    turn_away(std::move(connected), frames_, error.value());
  }
}

void worker_process::take_handoffs() {
  const std::uint64_t before = handoffs_->dropped();
  while (handoffs_->receive()) {
  }
  slot_.metrics[metric::handoffs_lost].add(handoffs_->dropped() - before);
}

void worker_process::turn_away(unique_fd connected, const protocol_factory& speaks, int error) {
  self_->front().turn_away(std::move(connected), speaks, room_.refusal_text(error));
}

void worker_process::watch_stalls() {
  worker_metrics& metrics = slot_.metrics;
  stall_log_.emplace(log_, metrics[metric::stalls], metrics[metric::unscheduled], clock_);
  stalls_.emplace(self_->loop(), clock_, stall_options{.stall_after = start_.stall_after, .label = label_of_turn});
  stalls_->on_stall([this](const stall_event& event) { stall_log_->write(event); });
}

void worker_process::open_backdoor() {
  const std::string who = "worker " + std::to_string(start_.slot);
  backdoor_options options{.path = start_.backdoor + "/worker-" + std::to_string(start_.slot) + ".sock",
                           .banner = "grove-" + who + ", process " + std::to_string(::getpid()),
                           .label = label_of_turn};
  const std::string path = options.path;
  try {
    backdoor_.emplace(self_->loop(), std::move(options));
    log_.info("a back door is open at {}", printable(path));
  } catch (const std::system_error& error) {
    log_.error("no back door: {}", printable(error.what()));  // It serves all the same.
  }
}

void worker_process::stop_listening() {
  for (const auto& each : listeners_)
    each->stop();
}

void worker_process::tick() {
  room_.look_again();
  const std::uint64_t dropped = log_lines_.dropped();
  slot_.metrics[metric::log_lines_dropped].add(dropped - std::exchange(counted_dropped_lines_, dropped));
}

void worker_process::on_control() {
  if (const auto message = control_.receive()) return self_->on_control(*message);
  control_watch_->stop();
  self_->on_supervisor_lost();
}

}  // namespace grove
