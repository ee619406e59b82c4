// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/actor/trial_actors.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "worker/hub/hub.h"

namespace grove::test {
namespace {

/// The path without its first key.
trial::Path rest_of(const trial::Path& path) {
  trial::Path rest;
  for (int i = 1; i < path.keys_size(); ++i)
    rest.add_keys(path.keys(i));
  return rest;
}

}  // namespace

trial::Balance AccountActor::add(std::int64_t amount) {
  state().set_balance(state().balance() + amount);
  trial::Balance balance;
  balance.set_balance(state().balance());
  for (auto& watcher : watchers_)
    watcher.write(balance);
  return balance;
}

trial::Balance AccountActor::Deposit(const trial::Amount& request) {
  if (request.amount() <= 0) throw invalid_argument{"amount must be positive"};
  return add(request.amount());
}

trial::Balance AccountActor::Get(const trial::Nothing&) const {
  trial::Balance balance;
  balance.set_balance(state().balance());
  return balance;
}

trial::Balance AccountActor::DepositAndFail(const trial::Amount& request) {
  add(request.amount());
  ref<trial::Ledger>("book").tell_Append(request);
  throw failed_precondition{"on second thoughts"};
}

trial::Balance AccountActor::SlowDeposit(const trial::Amount& request) {
  sleep_for(std::chrono::milliseconds{request.amount()});
  return add(request.amount());
}

void AccountActor::Watch(const trial::Nothing&, stream<trial::Balance> items) {
  items.write(Get({}));
  watchers_.push_back(std::move(items));
}

void AccountActor::WatchSlowly(const trial::Amount& request, stream<trial::Balance> items) {
  watchers_.push_back(std::move(items));
  const std::size_t watchers = watchers_.size();
  sleep_for(std::chrono::milliseconds{request.amount()});
  if (watchers_.size() != watchers) throw internal_error{"something else ran meanwhile"};
  add(request.amount());
}

trial::Nothing AccountActor::StopWatches(const trial::Nothing&) {
  for (auto& watcher : watchers_)
    watcher.close(status{status_code::aborted, "stopped"});
  watchers_.clear();
  return {};
}

void AccountActor::on_stream_closed() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.closed(); });
}

trial::Nothing LedgerActor::Append(const trial::Amount& request) {
  entries_.add_amounts(request.amount());
  return {};
}

trial::Amounts LedgerActor::Entries(const trial::Nothing&) const {
  return entries_;
}

trial::Visited CallerActor::Visit(const trial::Path& request) {
  trial::Visited visited;
  if (request.keys_size() > 0) visited = ref<trial::Caller>(request.keys(0)).Visit(rest_of(request));
  visited.set_count(visited.count() + 1);
  return visited;
}

trial::Visited CallerActor::VisitInterleaved(const trial::Path& request) {
  trial::Visited visited;
  if (request.keys_size() > 0) visited = ref<trial::Caller>(request.keys(0)).VisitInterleaved(rest_of(request));
  visited.set_count(visited.count() + 1);
  return visited;
}

trial::Visited CallerActor::SlowVisit(const trial::Path& request) {
  sleep_for(std::chrono::minutes{1});
  return Visit(request);
}

trial::Amounts CallerActor::TellCallTell(const trial::Nothing&) {
  const auto ledger = ref<trial::Ledger>("book");
  ledger.tell_Append(amount(1));
  (void)ledger.Append(amount(2));
  ledger.tell_Append(amount(3));
  return ledger.Entries({});
}

void CallerActor::WatchVisit(const trial::Path& request, stream<trial::Visited> items) {
  items.write(Visit(request));
}

trial::Nothing CallerActor::ThrowInt(const trial::Nothing&) {
  throw 42;
}

void CallerActor::on_activate() {
  if (key() == "stillborn") throw std::runtime_error{"no life"};
}

void add_trial_types(actor_types& types) {
  types.add<AccountActor>();
  types.add<LedgerActor>();
  types.add<CallerActor>();
}

trial::Amount amount(std::int64_t value) {
  trial::Amount made;
  made.set_amount(value);
  return made;
}

trial::Path path(const std::vector<std::string>& keys) {
  trial::Path made;
  for (const std::string& key : keys)
    made.add_keys(key);
  return made;
}

}  // namespace grove::test
