// SPDX-License-Identifier: Apache-2.0
#include "client/router.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "client/retry.h"

namespace grove {

struct router::lane {
  lane(asio::io_context& io, std::optional<std::uint32_t> to) : worker{to}, timer{io.get_executor()} {}

  std::optional<std::uint32_t> worker;
  std::shared_ptr<connection> link;
  bool pausing = false;
  unsigned failures = 0;
  call_list waiting;
  connection::steady_timer timer;
};

router::router(asio::io_context& io, const clock& time, random_source& random, router_options options)
    : io_{io},
      time_{time},
      random_{random},
      options_{std::move(options)},
      ways_{std::make_shared<dialer>(io, options_.connection.look_up, options_.connection.attempt_delay)},
      first_{std::make_shared<lane>(io, std::nullopt)} {}

router::~router() {
  close();
}

router::lane& router::lane_of(const outgoing_call& call) {
  if (!info_) return *first_;
  if (info_->owners.empty()) return *lanes_[info_->worker];
  const std::uint64_t hash = hash_of_address(hash_of_name(call.type), call.key);
  return *lanes_[info_->owners[partition_of(hash, static_cast<std::uint32_t>(info_->owners.size()))]];
}

std::shared_ptr<router::lane> router::lane_with(const connection& link) const noexcept {
  if (first_->link.get() == &link) return first_;
  for (const auto& way : lanes_) {
    if (way->link.get() == &link) return way;
  }
  return nullptr;
}

connection* router::any_ready() noexcept {
  for (const auto& way : lanes_) {
    if (way->link && way->link->ready()) return way->link.get();
  }
  return nullptr;
}

void router::submit(outgoing_call& call) {
  if (closed_) {
    call.on_end({status_code::cancelled, "the client is closed", outcome::not_executed, {}});
    return;
  }
  lane& way = lane_of(call);
  if (way.link && way.link->ready()) {
    way.link->start(call);
    return;
  }
  if (way.pausing) {
    if (connection* other = any_ready()) {
      other->start(call);
      return;
    }
  }
  way.waiting.push(call);
  if (!way.pausing && !way.link) open(way);
}

outcome router::withdraw(outgoing_call& call) {
  if (call.connection_ != nullptr) return call.connection_->withdraw(call);
  if (call.list_ != nullptr) call.list_->remove(call);
  return outcome::not_executed;
}

void router::when_reached(std::function<void(const status&)> then) {
  if (closed_) {
    then({status_code::cancelled, "the client is closed"});
    return;
  }
  if (any_ready() != nullptr) {
    then({});
    return;
  }
  waiting_to_reach_.push_back(std::move(then));
  if (!first_->link && !first_->pausing) open(*first_);
}

void router::open(lane& way) {
  if (!way.worker) servers_tried_ = 0;
  attempt(way);
}

void router::attempt(lane& way) {
  connection::listener& us = *this;
  way.link = std::make_shared<connection>(io_, time_, ways_, options_.connection, us);
  way.link->open(options_.servers[server_], way.worker);
}

void router::pause(const std::shared_ptr<lane>& way) {
  way->pausing = true;
  ++way->failures;
  way->timer.expires_after(jittered_pause(options_.first_pause, options_.longest_pause, way->failures, random_));
  way->timer.async_wait([this, held = std::weak_ptr{way}](const asio::error_code& error) {
    const auto still = held.lock();
    if (error || !still) return;
    still->pausing = false;
    const bool wanted = still == first_ && !waiting_to_reach_.empty();
    if (!still->link && (wanted || !still->waiting.empty())) open(*still);
  });
}

void router::leave(lane& way) {
  std::erase_if(leaving_, [](const auto& link) { return link->closed(); });
  leaving_.push_back(std::move(way.link));
  leaving_.back()->close_when_idle();
}

void router::leave_later(const std::shared_ptr<lane>& way) {
  way->timer.expires_after(options_.longest_pause);
  way->timer.async_wait([this, held = std::weak_ptr{way}](const asio::error_code& error) {
    const auto still = held.lock();
    if (!error && still && still->link && still->link->ready()) leave(*still);
  });
}

void router::learn(const server_info& info) {
  info_ = info;
  // Lanes beyond the number of workers stay, unused, when there are fewer than before.
  while (lanes_.size() < info.workers) {
    lanes_.push_back(std::make_shared<lane>(io_, static_cast<std::uint32_t>(lanes_.size())));
  }
}

void router::on_ready(connection& from) {
  const auto way = lane_with(from);
  learn(from.info());
  if (way == first_) {
    // The first connection becomes the lane of the worker that took it.
    lane& owner = *lanes_[from.info().worker];
    first_->failures = 0;
    if (owner.link) {
      leave(*first_);
    } else {
      owner.link = std::move(first_->link);
      resubmit(owner.waiting);
    }
    resubmit(first_->waiting);
  } else if (way) {
    if (from.info().worker != way->worker) leave_later(way);
    resubmit(way->waiting);
  }
  reached({});
}

void router::on_drain(connection& from) {
  const auto way = lane_with(from);
  if (!way) return;
  call_list unsent;
  while (outgoing_call* call = from.waiting().pop()) {
    call->connection_ = nullptr;
    unsent.push(*call);
  }
  leave(*way);
  resubmit(unsent);
}

void router::on_closed(connection& from, const status& why) {
  const auto way = lane_with(from);
  if (!way) {
    std::erase_if(leaving_, [&from](const auto& link) { return link.get() == &from; });
    return;
  }
  const bool was_ready = from.ready_since() != steady_time{};
  const std::shared_ptr<connection> gone = std::move(way->link);
  if (was_ready) {
    if (time_.now() - from.ready_since() >= options_.settled_after) {
      way->failures = 0;
    } else {
      pause(way);
    }
    return;
  }
  if (way->worker) {
    pause(way);
    give_up(*way, why);
    return;
  }
  if (++servers_tried_ < options_.servers.size()) {
    server_ = (server_ + 1) % options_.servers.size();
    attempt(*way);
    return;
  }
  const status nothing = nothing_reached(why);
  server_ = (server_ + 1) % options_.servers.size();
  pause(way);
  give_up(*way, nothing);
  reached(nothing);
}

status router::nothing_reached(const status& last) const {
  if (options_.servers.size() == 1) return last;
  std::string text = "no server can be reached; tried";
  for (const server_address& server : options_.servers)
    text.append(" ").append(server.to_string());
  return {last.code(), text.append("; the last one: ").append(last.message())};
}

void router::give_up(lane& way, const status& why) {
  call_list calls;
  calls.take(way.waiting);
  // When nothing is left of the server that the table came from, the next call begins anew, with any worker.
  if (any_ready() == nullptr) info_.reset();
  while (outgoing_call* call = calls.pop()) {
    if (connection* other = any_ready()) {
      other->start(*call);
    } else {
      call->on_end({status_code::unavailable, why.message(), outcome::not_executed, {}});
    }
  }
}

void router::resubmit(call_list& from) {
  call_list calls;
  calls.take(from);
  while (outgoing_call* call = calls.pop())
    submit(*call);
}

void router::reached(const status& what) {
  const auto waiting = std::exchange(waiting_to_reach_, {});
  for (const auto& then : waiting)
    then(what);
}

void router::close() {
  if (std::exchange(closed_, true)) return;
  const status why{status_code::cancelled, "the client is closed"};
  const auto finish = [&why](lane& way) {
    way.timer.cancel();
    if (way.link) std::exchange(way.link, nullptr)->close(why);
    while (outgoing_call* call = way.waiting.pop()) {
      call->on_end({why.code(), why.message(), outcome::not_executed, {}});
    }
  };
  finish(*first_);
  for (const auto& way : lanes_)
    finish(*way);
  for (const auto& link : std::exchange(leaving_, {}))
    link->close(why);
  reached(why);
}

}  // namespace grove
