// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/actor/scripted_actor.h"

#include <exception>
#include <utility>

namespace grove::test {
namespace {

void run_if_any(const std::function<void()>& step) {
  if (step) step();
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "no std::exception";
  }
}

}  // namespace

ScriptedActor::ScriptedActor(const script& says) : says_{says} {
  run_if_any(says_.construct);
}

ScriptedActor::~ScriptedActor() {
  if (says_.destroy) says_.destroy(*this);
}

trial::Nothing ScriptedActor::Run(const trial::Nothing&) {
  if (says_.turn) says_.turn(*this);
  return {};
}

trial::Nothing ScriptedActor::RunInterleaved(const trial::Nothing&) const {
  if (says_.interleaved) says_.interleaved(*this);
  return {};
}

void ScriptedActor::Watch(const trial::Nothing&, stream<trial::Nothing> items) {
  watchers_.push_back(std::move(items));
}

void ScriptedActor::on_activate() {
  if (says_.activate) says_.activate(*this);
}

void ScriptedActor::on_passivate() {
  run_if_any(says_.passivate);
}

void ScriptedActor::on_stream_closed() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.closed(); });
  run_if_any(says_.stream_closed);
}

scripted_world::scripted_world() {
  types.add<ScriptedActor>(std::as_const(says));
  actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);
  loop.set_error_handler([this](std::string_view where, const std::exception_ptr& error) {
    reports.push_back(std::string{where} + ": " + text_of(error));
  });
}

void scripted_world::idle_for(int seconds) {
  for (int second = 0; second < seconds; ++second) {
    actors->sweep_idle();
    run();
  }
}

}  // namespace grove::test
