// SPDX-License-Identifier: Apache-2.0
#include "worker/main/system_actor.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include "base/version.h"

namespace grove {
namespace {

void describe(const actor_type& type, v1::ActorType& into) {
  into.set_name(type.name());
  const google::protobuf::ServiceDescriptor& service = *type.definition().service;
  into.set_service(service.full_name());
  for (int i = 0; i < service.method_count(); ++i) {
    const actor_method& method = type.methods()[static_cast<std::size_t>(i)];
    v1::ActorMethod& described = *into.add_methods();
    described.set_name(method.name);
    described.set_request(service.method(i)->input_type()->full_name());
    described.set_response(service.method(i)->output_type()->full_name());
    described.set_streaming(method.streaming);
    described.set_read_only(method.read_only);
  }
}

/// Each file after those that it imports.
void add_with_imports(const google::protobuf::FileDescriptor& file, google::protobuf::FileDescriptorSet& into,
                      std::set<const google::protobuf::FileDescriptor*>& seen) {
  if (!seen.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i)
    add_with_imports(*file.dependency(i), into, seen);
  file.CopyTo(into.add_file());
}

/// Gives each file its comments, from what the generator has kept of them.
void add_comments(std::string_view encoded, google::protobuf::FileDescriptorSet& into) {
  google::protobuf::FileDescriptorSet known;
  if (!known.ParseFromArray(encoded.data(), static_cast<int>(encoded.size()))) return;
  for (auto& file : *into.mutable_file()) {
    for (auto& with_comments : *known.mutable_file()) {
      if (file.name() == with_comments.name())
        file.mutable_source_code_info()->Swap(with_comments.mutable_source_code_info());
    }
  }
}

[[nodiscard]] std::uint64_t milliseconds_since(std::int64_t ns, const clock& time) {
  const std::int64_t now = std::chrono::nanoseconds{time.now().time_since_epoch()}.count();
  return ns == 0 || now < ns ? 0 : static_cast<std::uint64_t>((now - ns) / 1'000'000);
}

[[nodiscard]] v1::WorkerState state_of(worker_state state) {
  switch (state) {
    case worker_state::down:
      return v1::WORKER_STATE_DOWN;
    case worker_state::starting:
      return v1::WORKER_STATE_STARTING;
    case worker_state::up:
      return v1::WORKER_STATE_UP;
    case worker_state::draining:
      return v1::WORKER_STATE_DRAINING;
  }
  return v1::WORKER_STATE_UNSPECIFIED;
}

void describe(const worker_slot& slot, std::uint32_t index, const clock& time, v1::Worker& into) {
  const worker_metrics& metrics = slot.metrics;
  into.set_slot(index);
  into.set_pid(slot.pid.load(std::memory_order_relaxed));
  into.set_state(state_of(slot.state.load(std::memory_order_relaxed)));
  into.set_restarts(slot.restarts.load(std::memory_order_relaxed));
  if (into.pid() != 0) into.set_uptime_ms(milliseconds_since(slot.started_at_ns.load(std::memory_order_relaxed), time));
  into.set_actors(metrics[metric::actors].get());
  into.set_connections(metrics[metric::connections].get());
  into.set_turns(metrics[metric::turns].get());
  into.set_failed_turns(metrics[metric::failed_turns].get());
  into.set_mesh_messages(metrics[metric::mesh_sent].get());
  const std::int32_t cpu = slot.cpu.load(std::memory_order_relaxed);
  if (cpu >= 0) into.set_cpu(static_cast<std::uint32_t>(cpu));
  into.set_last_exit(slot.last_exit.read());
}

}  // namespace

v1::SystemTypesResponse SystemActor::Types(const v1::SystemTypesRequest&) const {
  v1::SystemTypesResponse response;
  for (std::size_t i = 0; i < types_.size(); ++i)
    describe(*types_.at(i), *response.add_types());
  return response;
}

v1::SystemDescribeResponse SystemActor::Describe(const v1::SystemDescribeRequest& request) const {
  const actor_type* const type = types_.find(request.type());
  if (type == nullptr) throw not_found{unknown_type_text(types_, request.type())};
  v1::SystemDescribeResponse response;
  describe(*type, *response.mutable_type());
  std::set<const google::protobuf::FileDescriptor*> seen;
  add_with_imports(*type->definition().service->file(), *response.mutable_files(), seen);
  if (request.comments()) add_comments(type->definition().comments, *response.mutable_files());
  return response;
}

v1::SystemWorkersResponse SystemActor::Workers(const v1::SystemWorkersRequest&) const {
  v1::SystemWorkersResponse response;
  for (std::uint32_t i = 0; i < segment_.workers(); ++i)
    describe(segment_.slot(i), i, time_, *response.add_workers());
  response.set_answered_by(own_slot_);
  response.set_version(std::string{version});
  response.set_uptime_ms(milliseconds_since(segment_.started_at_ns(), time_));
  return response;
}

}  // namespace grove
