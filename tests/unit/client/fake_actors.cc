// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/client/fake_actors.h"

#include <asio/post.hpp>
#include <fstream>

namespace grove::test {
namespace {

/// A message whose field 1 is a number: CounterAddRequest, CounterValue.
[[nodiscard]] std::string encoded(std::int64_t value) {
  v1::Cancel number;
  number.set_id(static_cast<std::uint64_t>(value));
  return number.SerializeAsString();
}

[[nodiscard]] v1::ActorType counter_type() {
  v1::ActorType type;
  type.set_name("grove.Counter");
  type.set_service("grove.v1.Counter");
  for (const char* name : {"Add", "Get", "Reset"}) {
    v1::ActorMethod& method = *type.add_methods();
    method.set_name(name);
    method.set_request(std::string{"grove.v1.Counter"} + name + "Request");
    method.set_response("grove.v1.CounterValue");
  }
  return type;
}

}  // namespace

fake_actors::fake_actors() {
  std::ifstream file{GROVE_BUILTIN_DESCRIPTORS, std::ios::binary};
  if (!files_.ParseFromIstream(&file)) std::abort();
  server_.on_request = [this](auto& from, const wire::request_view& request) { answer(from, request); };
  thread_ = std::thread{[this] {
    const auto work = asio::make_work_guard(io_);
    io_.run();
  }};
}

fake_actors::~fake_actors() {
  io_.stop();
  thread_.join();
}

std::int64_t fake_actors::sum() {
  std::int64_t all = 0;
  change([&](fake_server&) {
    for (const auto& [key, value] : counters_)
      all += value;
  });
  return all;
}

void fake_actors::answer(fake_server::session& from, const wire::request_view& request) {
  if (request.type == "grove.System") return answer_system(from, request);
  if (request.type == "grove.Counter") {
    metadata_.clear();
    std::string_view rest = request.body;
    while (const auto entry = wire::next_metadata(rest))
      metadata_.push_back(std::string{entry->first}.append("=").append(entry->second));
    auto found = counters_.find(request.key);
    if (found == counters_.end()) found = counters_.emplace(std::string{request.key}, 0).first;
    if (request.method == "Add") {
      v1::Cancel by;
      static_cast<void>(by.ParseFromArray(request.payload.data(), static_cast<int>(request.payload.size())));
      found->second += request.payload.empty() ? 1 : static_cast<std::int64_t>(by.id());
    }
    if (request.method == "Reset") {
      return from.fail(request.id, status_code::failed_precondition, "this one stays", outcome::executed);
    }
    return from.respond(request.id, encoded(found->second));
  }
  if (request.type == "grove.Topic") {
    for (const char* text : {"\x08\x01\x12\x01z", "\x08\x02\x12\x01y", "\x08\x03\x12\x01x"})
      from.item(request.id, text);
    return from.respond(request.id, "");
  }
  from.respond(request.id, request.payload);
}

void fake_actors::answer_system(fake_server::session& from, const wire::request_view& request) {
  if (request.method == "Describe") return describe(from, request);
  if (request.method == "Types") {
    v1::SystemTypesResponse response;
    *response.add_types() = counter_type();
    return from.respond(request.id, response.SerializeAsString());
  }
  v1::SystemWorkersResponse response;
  v1::Worker& worker = *response.add_workers();
  worker.set_pid(42);
  worker.set_state(v1::WORKER_STATE_UP);
  worker.set_restarts(1);
  worker.set_uptime_ms(187'000);
  worker.set_last_exit("killed by signal 9");
  response.set_version("fake");
  from.respond(request.id, response.SerializeAsString());
}

void fake_actors::describe(fake_server::session& from, const wire::request_view& request) {
  v1::SystemDescribeRequest asked;
  static_cast<void>(asked.ParseFromArray(request.payload.data(), static_cast<int>(request.payload.size())));
  v1::SystemDescribeResponse response;
  *response.mutable_files() = files_;
  if (asked.type() == "grove.Counter") {
    *response.mutable_type() = counter_type();
  } else if (asked.type() == "grove.Topic" || asked.type() == "grove.Echo" || asked.type() == "grove.Map") {
    response.mutable_type()->set_name(asked.type());
    response.mutable_type()->set_service("grove.v1." + asked.type().substr(6));
  } else {
    return from.fail(request.id, status_code::not_found,
                     "no actor type '" + asked.type() + "'; did you mean 'grove.Counter'?", outcome::not_executed);
  }
  from.respond(request.id, response.SerializeAsString());
}

}  // namespace grove::test
