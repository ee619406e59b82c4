// SPDX-License-Identifier: Apache-2.0
#include "client/load/internal/load_connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <utility>

#include "base/version.h"
#include "client/retry.h"
#include "grove/v1/wire.pb.h"
#include "proto/wire/frame.h"

namespace grove::load::detail {
namespace {

constexpr std::size_t read_bytes = 64U * 1024;
constexpr std::size_t frame_bytes_max = 16U << 20U;

/// When a connection that another worker has taken is opened anew.
constexpr std::chrono::milliseconds move_after{500};

/// How long the answers under way are waited for once the run is interrupted.
constexpr std::chrono::seconds answers_within{1};

/// A server that is there has answered every request by then, be it with DEADLINE_EXCEEDED.
[[nodiscard]] steady_duration silence_max(const load_options& options) {
  constexpr std::chrono::seconds without_timeout{30};
  constexpr std::chrono::seconds grace{5};
  return (options.timeout.count() != 0 ? steady_duration{options.timeout} : without_timeout) + grace;
}

/// Field 1 of a response, a number: what Counter and Spin answer with. 0 when it is absent.
[[nodiscard]] std::uint64_t number_in(std::string_view payload) noexcept {
  if (payload.empty() || payload[0] != 0x08) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < payload.size() && i <= 10; ++i) {
    const auto byte = static_cast<unsigned char>(payload[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << (7 * (i - 1));
    if ((byte & 0x80U) == 0) break;
  }
  return value;
}

}  // namespace

void load_counts::failed(status_code code, outcome result, std::string_view message, std::uint64_t count) {
  if (count == 0) return;
  const std::size_t index = static_cast<std::size_t>(code) * 4 + static_cast<std::size_t>(result);
  failures[index] += count;
  if (examples[index].empty()) examples[index] = message;
}

load_connection::load_connection(asio::io_context& io, const load_plan& plan, load_counts& counts, std::uint32_t worker,
                                 std::uint64_t seed)
    : io_{io},
      plan_{plan},
      counts_{counts},
      worker_{worker},
      random_{seed},
      socket_{io.get_executor()},
      timer_{io.get_executor()},
      began_(plan.depth),
      key_sent_(plan.depth),
      frames_{plan.frames},
      in_{read_bytes} {
  keys_ = &plan.keys_of[worker];
  if (!keys_->empty()) return;
  // A worker without keys of its own sends requests that others answer.
  for (const auto& some : plan.keys_of) {
    if (!some.empty()) keys_ = &some;
  }
}

void load_connection::open() {
  socket_ = connection::tcp_socket{io_.get_executor()};
  in_.clear();
  out_.clear();
  sending_.clear();
  writing_ = false;
  socket_.async_connect(plan_.endpoint, [this, life = ++life_](const asio::error_code& error) {
    if (life != life_ || done_) return;
    if (error) {
      lost("cannot connect: " + error.message());
      return;
    }
    socket_.set_option(asio::ip::tcp::no_delay{true});
    socket_.non_blocking(true);
    const std::string name = std::string{"grove-bench/"}.append(version);
    wire::hello_view hello;
    hello.version = wire::protocol_version;
    hello.wanted_worker = worker_;
    hello.client = name;
    byte_buffer bytes;
    wire::append_hello(bytes, hello);
    last_heard_ = std::chrono::steady_clock::now();
    write(bytes.view());
    read();
  });
}

void load_connection::close() {
  asio::error_code ignored;
  ++life_;
  ready_ = false;
  timer_.cancel();
  socket_.close(ignored);
}

void load_connection::start(const share& mine, const load_times& times) {
  mine_ = mine;
  times_ = times;
  next_in_order_ = mine.first;
  next_due_ = time_after(times.start, mine.offset);
  free_ids_.clear();
  for (unsigned id = plan_.depth; id > 0; --id)
    free_ids_.push_back(id - 1);
  running_ = true;
  if (ready_) send_due(times.start);
}

void load_connection::stop(steady_time now) {
  times_.stop = std::min(times_.stop, now);
  give_up_at_ = time_after(now, answers_within);
}

void load_connection::tick(steady_time now) {
  if (done_) return;
  if (under_way_ != 0 && now >= give_up_at_) {
    give_up_answers(status_code::cancelled, "interrupted before the answer came");
  } else if (ready_ && under_way_ != 0 && now - last_heard_ > silence_max(plan_.options)) {
    lost("no answer in time");
  } else if (ready_ && mine_.interval.count() != 0) {
    send_due(now);
  }
  end_if_over(now);
}

void load_connection::end_if_over(steady_time now) {
  const bool over = now >= times_.stop || left() == 0;
  if (!running_ || done_ || !over || (ready_ && under_way_ != 0)) return;
  if (mine_.interval.count() != 0 && left() != 0 && next_due_ < times_.stop) {
    counts_.behind += static_cast<std::uint64_t>((times_.stop - next_due_) / mine_.interval) + 1;
  }
  done_ = true;
  close();
}

void load_connection::read() {
  socket_.async_read_some(asio::buffer(in_.prepare(read_bytes / 2), read_bytes / 2),
                          [this, life = life_](const asio::error_code& error, std::size_t bytes) {
                            if (life == life_ && !done_) on_read(error, bytes);
                          });
}

void load_connection::on_read(const asio::error_code& error, std::size_t bytes) {
  if (error) {
    lost(error == asio::error::eof ? "the server closed the connection" : error.message());
    return;
  }
  in_.commit(bytes);
  const steady_time now = std::chrono::steady_clock::now();
  last_heard_ = now;
  for (;;) {
    const wire::frame_view frame = wire::first_frame(in_.view(), frame_bytes_max);
    if (frame.state == wire::frame_state::incomplete) break;
    if (frame.state != wire::frame_state::complete || !take(frame.envelope, now)) {
      if (!done_ && ready_) lost("the server broke the protocol");
      return;
    }
    in_.consume(frame.consumed);
  }
  const std::uint64_t life = life_;
  if (running_ && ready_) send_due(now);
  end_if_over(now);
  if (!done_ && life == life_) read();
}

bool load_connection::take(std::string_view envelope, steady_time now) {
  if (!wire::decode_envelope(envelope, envelope_)) return false;
  switch (envelope_.kind) {
    case wire::body_kind::response:
      return take_response(envelope_.response, now);
    case wire::body_kind::welcome:
      return take_welcome(envelope, now);
    case wire::body_kind::refusal:
      lost("the server refused: " + std::string{envelope_.refusal.message});
      return false;
    case wire::body_kind::ping: {
      byte_buffer pong;
      wire::append_pong(pong, envelope_.number);
      write(pong.view());
      return true;
    }
    default:
      return true;
  }
}

bool load_connection::take_welcome(std::string_view envelope, steady_time now) {
  v1::Envelope parsed;
  if (!parsed.ParseFromArray(envelope.data(), static_cast<int>(envelope.size()))) return false;
  ready_ = true;
  failures_ = 0;
  // Another worker takes a connection whose own is down; it is asked for again when that may be back.
  const bool misplaced = parsed.welcome().worker() != worker_;
  move_at_ = misplaced ? time_after(now, move_after) : steady_time::max();
  return true;
}

bool load_connection::take_response(const wire::response_view& response, steady_time now) {
  const std::size_t index = static_cast<std::size_t>(response.id) - 1;
  if (index >= began_.size() || began_[index] == steady_time{}) return false;
  const steady_time began = std::exchange(began_[index], steady_time{});
  --under_way_;
  ++counts_.answers;
  counts_.last_answer = now;
  if (mine_.interval.count() != 0) free_ids_.push_back(static_cast<std::uint32_t>(index));
  if (response.code == status_code::ok || response.result != outcome::not_executed) {
    counts_.keys_used[key_sent_[index]] = true;
  }
  if (response.code != status_code::ok) {
    counts_.failed(response.code, response.result, response.message);
    return true;
  }
  ++counts_.acknowledged;
  counts_.value_sum += number_in(response.payload);
  if (began >= times_.measure_from) counts_.latency.record(static_cast<std::uint64_t>((now - began).count()));
  if (now >= times_.measure_from && now <= times_.stop) ++counts_.in_time;
  return true;
}

std::uint64_t load_connection::left() const noexcept {
  return mine_.bounded ? mine_.quota - begun_ : UINT64_MAX;
}

std::uint32_t load_connection::next_key() {
  if (plan_.options.order == key_order::random) {
    return (*keys_)[random_.below(static_cast<std::uint32_t>(keys_->size()))];
  }
  const std::uint32_t key = (*keys_)[next_in_order_ % keys_->size()];
  next_in_order_ += mine_.step;
  return key;
}

void load_connection::send_due(steady_time now) {
  if (now >= times_.stop) return;
  if (under_way_ == 0 && now >= move_at_) {
    close();
    open();
    return;
  }
  if (mine_.interval.count() != 0) {
    send_scheduled(now);
  } else if (under_way_ == 0 && left() != 0) {
    send_batch(now);
  }
}

void load_connection::send_batch(steady_time now) {
  const auto count = static_cast<unsigned>(std::min<std::uint64_t>(plan_.depth, left()));
  for (unsigned i = 0; i < count; ++i) {
    key_sent_[i] = next_key();
    plan_.write_digits(key_sent_[i], frames_.data() + plan_.digit_places[i]);
    began_[i] = now;
  }
  begun_ += count;
  under_way_ = count;
  counts_.sent += count;
  write({frames_.data(), plan_.frame_ends[count - 1]});
}

void load_connection::send_scheduled(steady_time now) {
  batch_.clear();
  while (next_due_ <= now && next_due_ < times_.stop && !free_ids_.empty() && left() != 0) {
    const std::uint32_t id = free_ids_.back();
    free_ids_.pop_back();
    key_sent_[id] = next_key();
    plan_.write_digits(key_sent_[id], frames_.data() + plan_.digit_places[id]);
    const std::size_t from = id == 0 ? 0 : plan_.frame_ends[id - 1];
    batch_.append({frames_.data() + from, plan_.frame_ends[id] - from});
    began_[id] = next_due_;
    next_due_ += mine_.interval;
    ++begun_;
    ++under_way_;
    ++counts_.sent;
  }
  if (!batch_.empty()) write(batch_.view());
}

void load_connection::write(std::string_view bytes) {
  if (!writing_ && out_.empty()) {
    asio::error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    // Other errors are met by the reader.
    if (error && error != asio::error::would_block) return;
    bytes.remove_prefix(sent);
  }
  out_.append(bytes);
  write_rest();
}

void load_connection::write_rest() {
  if (writing_ || out_.empty()) return;
  writing_ = true;
  std::swap(out_, sending_);
  asio::async_write(socket_, asio::buffer(sending_.view().data(), sending_.size()),
                    [this, life = life_](const asio::error_code& error, std::size_t) {
                      if (life != life_ || done_) return;
                      writing_ = false;
                      sending_.clear();
                      if (!error) write_rest();
                    });
}

void load_connection::lost(std::string_view why) {
  close();
  trouble_ = {status_code::unavailable, std::string{why}};
  if (!running_) return;
  ++counts_.lost_connections;
  give_up_answers(status_code::unavailable, why);
  free_ids_.clear();
  for (unsigned id = plan_.depth; id > 0; --id)
    free_ids_.push_back(id - 1);
  ++failures_;
  timer_.expires_after(
      jittered_pause(std::chrono::milliseconds{20}, std::chrono::milliseconds{1'000}, failures_, random_));
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error && !done_) open();
  });
}

void load_connection::give_up_answers(status_code code, std::string_view why) {
  counts_.failed(code, outcome::unknown, why, under_way_);
  under_way_ = 0;
  for (std::size_t i = 0; i < began_.size(); ++i) {
    if (std::exchange(began_[i], steady_time{}) != steady_time{}) counts_.keys_used[key_sent_[i]] = true;
  }
}

}  // namespace grove::load::detail
