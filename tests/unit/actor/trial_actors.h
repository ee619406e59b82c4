// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/support/actor_world.h"
#include "trial.actor.h"
#include "worker/actor/actor_type.h"

namespace grove::test {

class AccountActor final : public trial::Account::Actor {
 public:
  trial::Balance Deposit(const trial::Amount& request) override;
  trial::Balance Get(const trial::Nothing& request) const override;
  trial::Balance DepositAndFail(const trial::Amount& request) override;
  trial::Balance SlowDeposit(const trial::Amount& request) override;
  void Watch(const trial::Nothing& request, stream<trial::Balance> items) override;
  void WatchSlowly(const trial::Amount& request, stream<trial::Balance> items) override;
  trial::Nothing StopWatches(const trial::Nothing& request) override;

 protected:
  void on_stream_closed() override;

 private:
  trial::Balance add(std::int64_t amount);
  std::vector<stream<trial::Balance>> watchers_;
};

class LedgerActor final : public trial::Ledger::Actor {
 public:
  trial::Nothing Append(const trial::Amount& request) override;
  trial::Amounts Entries(const trial::Nothing& request) const override;

 private:
  trial::Amounts entries_;
};

class CallerActor final : public trial::Caller::Actor {
 public:
  trial::Visited Visit(const trial::Path& request) override;
  trial::Visited VisitInterleaved(const trial::Path& request) override;
  trial::Visited SlowVisit(const trial::Path& request) override;
  trial::Amounts TellCallTell(const trial::Nothing& request) override;
  void WatchVisit(const trial::Path& request, stream<trial::Visited> items) override;
  trial::Nothing ThrowInt(const trial::Nothing& request) override;

 protected:
  void on_activate() override;  ///< Throws if the key is "stillborn".
};

void add_trial_types(actor_types& types);

/// A world with these types.
class world : public actor_world {
 protected:
  world() : actor_world{add_trial_types} {}
};

[[nodiscard]] trial::Amount amount(std::int64_t value);
[[nodiscard]] trial::Path path(const std::vector<std::string>& keys);

}  // namespace grove::test
