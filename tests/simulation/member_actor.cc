// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/member_actor.h"

#include <chrono>
#include <utility>

#include "worker/hub/hub.h"

namespace grove::test {

/// A turn that no other one overlaps with.
class MemberActor::exclusive {
 public:
  explicit exclusive(MemberActor& of) : of_{of} {
    if (of_.busy_ && of_.around_.is_real())
      of_.around_.judge.fail("two turns of " + std::string{of_.key()} + " overlap");
    of_.busy_ = true;
    of_.changes_at_start_ = std::as_const(of_).state().changes();
  }
  ~exclusive() { of_.busy_ = false; }
  exclusive(const exclusive&) = delete;
  exclusive& operator=(const exclusive&) = delete;

 private:
  MemberActor& of_;
};

MemberActor::~MemberActor() {
  if (pid_ != 0 && around_.is_real()) around_.judge.destroyed(key(), pid_);
}

void MemberActor::on_activate() {
  const exclusive turn{*this};
  if (!around_.is_real()) return;
  pid_ = around_.server->running()->pid();
  around_.judge.activated(key(), pid_, std::as_const(*this).state().changes());
  if (key().starts_with("slow")) sleep_for(std::chrono::milliseconds{2});
}

void MemberActor::on_stream_closed() {
  const exclusive turn{*this};
  std::erase_if(watchers_, [](const watcher& each) { return each.to.closed(); });
}

void MemberActor::begin(const simulation::ActRequest& request) const {
  if (!around_.is_real()) return;
  around_.judge.started(request.id());
  if (!request.has_from()) return;
  around_.judge.came(request.from().identity(), key(), request.from().number());
  if (request.from().key().empty()) return;
  // A call leaves before its turn has ended, and so does what was told to the same actor before it.
  const bool is_for_good = around_.judge.is_of_ended_turn(request.id());
  around_.judge.seen(request.from().key(), is_for_good ? request.from().changes() : request.from().changes_before());
}

simulation::Done MemberActor::end(const simulation::ActRequest& request, const tells& told) const {
  if (around_.is_real()) {
    around_.judge.finished(request.id());
    for (const auto& [ignored, ids] : told)
      around_.judge.sent(ids, true);
  }
  simulation::Done done;
  done.set_id(request.id());
  done.set_key(std::string{key()});
  done.set_changes(state().changes());
  done.set_ballast(request.ballast());
  return done;
}

simulation::Done MemberActor::Act(const simulation::ActRequest& request) {
  const exclusive turn{*this};
  begin(request);
  tells told;
  for (const simulation::Step& step : request.steps())
    perform(step, told);
  return end(request, told);
}

simulation::Done MemberActor::Look(const simulation::ActRequest& request) const {
  if (around_.is_real()) around_.judge.started(request.id());
  tells told;
  for (const simulation::Step& step : request.steps()) {
    if (step.has_sleep_us()) sleep_for(std::chrono::microseconds{step.sleep_us()});
    if (step.has_fail()) throw aborted{"as it was told"};
  }
  return end(request, told);
}

void MemberActor::Watch(const simulation::ActRequest& request, stream<simulation::Done> items) {
  const exclusive turn{*this};
  begin(request);
  watchers_.push_back({request.id(), 0, std::move(items)});
  tells told;
  for (const simulation::Step& step : request.steps())
    perform(step, told);
  (void)end(request, told);
}

void MemberActor::perform(const simulation::Step& step, tells& told) {
  switch (step.what_case()) {
    case simulation::Step::kSleepUs:
      return sleep_for(std::chrono::microseconds{step.sleep_us()});
    case simulation::Step::kChange:
      return state().set_changes(std::as_const(*this).state().changes() + 1);
    case simulation::Step::kFail:
      throw aborted{"as it was told"};
    case simulation::Step::kEmit:
      return emit(step.emit());
    default:
      return send(step, std::as_const(*this).state().changes(), told);
  }
}

void MemberActor::emit(std::uint32_t items) {
  for (watcher& each : watchers_) {
    for (std::uint32_t n = 0; n < items; ++n)
      emit_one(each);
  }
}

void MemberActor::emit_one(watcher& each) {
  simulation::Done item;
  item.set_id(each.id);
  item.set_key(std::string{key()});
  item.set_changes(std::as_const(*this).state().changes());
  item.set_item(++each.items);
  if (each.items % 3 == 0) item.set_ballast(std::string(6'000, 'i'));
  each.to.write(item);
}

void MemberActor::send(const simulation::Step& step, std::uint64_t changes, tells& told) const {
  const auto to = ref<simulation::Member>(step.to());
  simulation::ActRequest sent = step.has_call() ? step.call() : step.has_look() ? step.look() : step.tell();
  simulation::Sender& from = *sent.mutable_from();
  from.set_identity(identity_);
  from.set_key(std::string{key()});
  from.set_changes(changes);
  from.set_changes_before(changes_at_start_);
  from.set_number(++numbers_);
  if (step.has_tell()) {
    told[step.to()].push_back(sent.id());
    return to.tell_Act(sent);
  }
  if (around_.is_real()) around_.judge.sent(told[step.to()], false);
  told.erase(step.to());
  try {
    const simulation::Done done = step.has_call() ? to.Act(sent) : to.Look(sent);
    if (!around_.is_real()) return;
    around_.judge.ended(sent.id(), status_code::ok, outcome::executed, false);
    if (done.id() != sent.id()) around_.judge.fail("a call gets the answer of another");
    around_.judge.seen(done.key(), done.changes());
  } catch (const status_error&) {
    if (!step.forgives()) throw;
  }
}

}  // namespace grove::test
