// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "tests/unit/actor/trial_actors.h"
#include "trial.actor.h"

namespace grove::test {

class ScriptedActor;

/// What actors of the type trial.Scripted do; nothing where nothing is said.
struct script {
  std::function<void()> construct;
  std::function<void(ScriptedActor&)> activate;
  std::function<void()> passivate;
  std::function<void(ScriptedActor&)> destroy;
  std::function<void()> stream_closed;
  std::function<void(ScriptedActor&)> turn;
  std::function<void(const ScriptedActor&)> interleaved;
};

class ScriptedActor final : public trial::Scripted::Actor {
 public:
  explicit ScriptedActor(const script& says);
  ~ScriptedActor() override;

  trial::Nothing Run(const trial::Nothing& request) override;
  trial::Nothing RunInterleaved(const trial::Nothing& request) const override;
  void Watch(const trial::Nothing& request, stream<trial::Nothing> items) override;
  using actor_with_state::key;
  using actor_with_state::ref;
  using actor_with_state::state;
  using actor_with_state::state_without_undo;

 protected:
  void on_activate() override;
  void on_passivate() override;
  void on_stream_closed() override;

 private:
  const script& says_;
  std::vector<stream<trial::Nothing>> watchers_;
};

/// A world with that type, too.
class scripted_world : public world {
 protected:
  scripted_world();
  ~scripted_world() override { loop.set_error_handler({}); }

  std::uint64_t send_run() { return send("trial.Scripted", "a", "Run", trial::Nothing{}); }
  ended_call call_run() { return call("trial.Scripted", "a", "Run", trial::Nothing{}); }
  /// Lets actors be idle for so many seconds.
  void idle_for(int seconds);

  script says;
  /// What the hub was told, "where: what".
  std::vector<std::string> reports;
};

}  // namespace grove::test
