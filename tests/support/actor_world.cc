// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_world.h"

#include "base/hash.h"

namespace grove::test {
namespace {

std::string bytes_of(const payload_source& payload) {
  std::string bytes(payload.size(), '\0');
  payload.write(bytes.data());
  return bytes;
}

}  // namespace

void recording_sink::finish(message& call, const reply& end) {
  EXPECT_FALSE(ended.contains(call.origin_id)) << "a call was answered twice";
  order.push_back(call.origin_id);
  ended[call.origin_id] = {end.code, end.result, std::string{end.text}, bytes_of(end.payload)};
}

void recording_sink::item(message& call, const payload_source& payload) {
  items[call.origin_id].push_back(bytes_of(payload));
}

void loss_recorder::tell_lost(const message& tell, const status& why) {
  lost.push_back(std::string{tell.type->name()} + "/" + std::string{tell.key()} + " " +
                 tell.type->methods()[tell.method].name + ": " + why.to_string());
}

actor_world::actor_world(void (*add_types)(actor_types&)) {
  add_types(types);
  actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);
}

actor_world::~actor_world() {
  const std::size_t unfinished = calls.size() - sink.ended.size();
  if (unfinished == 0) {
    EXPECT_EQ(actors->messages().in_use(), 0U) << "messages leak";
    EXPECT_EQ(actors->turns_running(), 0U);
  }
  actors.reset();
}

std::uint64_t actor_world::send(std::string_view type, std::string_view key, std::string_view method,
                                const google::protobuf::MessageLite& request) {
  return send_bytes(type, key, method, request.SerializeAsString());
}

std::uint64_t actor_world::send_one_way(std::string_view type, std::string_view key, std::string_view method,
                                        const google::protobuf::MessageLite& request) {
  return send_bytes(type, key, method, request.SerializeAsString(), true);
}

std::uint64_t actor_world::send_bytes(std::string_view type_name, std::string_view key, std::string_view method,
                                      std::string_view payload, bool one_way) {
  const actor_type& type = *types.find(type_name);
  message_ptr m = actors->messages().make(key, payload);
  m->type = &type;
  m->method = type.find_method(method).value();
  m->hash = hash_of_address(type.id(), key);
  m->deadline = time_after(time.now(), time_of_calls);
  m->one_way = one_way;
  m->origin = &sink;
  m->origin_id = ++last_number_;
  calls[last_number_] = m.get();
  if (from_outside) {
    actors->submit_from_client(std::move(m));
  } else {
    actors->submit(std::move(m));
  }
  return last_number_;
}

void actor_world::run() {
  // With more actors a walk over all of them takes longer than the test.
  constexpr std::size_t few_actors = 256;
  constexpr int passes_max = 100'000;  // As hub::run_ready() has it.
  for (int passes = 0; passes < passes_max && loop.poll(); ++passes) {
    if (actors->active_actors() <= few_actors) check_invariants();
  }
  check_invariants();
}

void actor_world::check_invariants() const {
  loop.check_invariants();
  actors->check_invariants();
}

void actor_world::advance(std::chrono::milliseconds step) {
  time.advance(step);
  run();
}

ended_call actor_world::call(std::string_view type, std::string_view key, std::string_view method,
                             const google::protobuf::MessageLite& request) {
  const std::uint64_t number = send(type, key, method, request);
  run();
  EXPECT_TRUE(has_ended(number)) << method << " did not end";
  return sink.ended[number];
}

}  // namespace grove::test
