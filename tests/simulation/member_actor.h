// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "acts.actor.h"
#include "tests/simulation/oracle.h"
#include "tests/support/simulated_server.h"

namespace grove::test {

/// What members look at: the simulation that they are in.
struct simulated_world {
  oracle& judge;
  simulated_server* server = nullptr;
  std::uint64_t last_identity = 0;

  /// Whether what happens now happens in a process that lives: else nobody can know of it.
  [[nodiscard]] bool is_real() const noexcept {
    return server != nullptr && server->running() != nullptr && !server->running()->dead();
  }
};

class MemberActor final : public simulation::Member::Actor {
 public:
  explicit MemberActor(simulated_world& around) : around_{around}, identity_{++around.last_identity} {}
  ~MemberActor() override;

  simulation::Done Act(const simulation::ActRequest& request) override;
  simulation::Done Look(const simulation::ActRequest& request) const override;
  void Watch(const simulation::ActRequest& request, stream<simulation::Done> items) override;

 protected:
  void on_activate() override;
  void on_stream_closed() override;

 private:
  class exclusive;
  struct watcher {
    std::uint64_t id;
    std::uint64_t items;
    stream<simulation::Done> to;
  };

  void begin(const simulation::ActRequest& request) const;
  /// What a turn has told, by the actor it told it to.
  using tells = std::map<std::string, std::vector<std::uint64_t>>;
  [[nodiscard]] simulation::Done end(const simulation::ActRequest& request, const tells& told) const;
  void perform(const simulation::Step& step, tells& told);
  void emit(std::uint32_t items);
  void emit_one(watcher& each);
  void send(const simulation::Step& step, std::uint64_t changes, tells& told) const;

  simulated_world& around_;
  std::uint64_t identity_;
  mutable std::uint64_t numbers_ = 0;
  std::uint64_t changes_at_start_ = 0;
  std::vector<watcher> watchers_;
  int pid_ = 0;
  bool busy_ = false;
};

}  // namespace grove::test
