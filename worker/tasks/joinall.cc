// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/joinall.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "worker/greenlet/off_stack.h"

namespace grove::tasks::detail {

namespace {

/// Written by links while the caller waits, hence not on its stack.
struct gathering {
  std::vector<task_ptr> finished;
  waiter_list caller;
};

/// Links to tasks for as long as the caller looks.
class gatherer {
 public:
  gatherer() = default;
  gatherer(const gatherer&) = delete;
  gatherer& operator=(const gatherer&) = delete;
  ~gatherer() {
    for (auto& [task, number] : links_)
      task->unlink(number);
  }

  void add(const task_ptr& task) {
    if (task->ready()) {
      state_->finished.push_back(task);
      return;
    }
    links_.emplace_back(task, task->watch([state = state_](task_base& ended) {
      state->finished.emplace_back(&ended);
      state->caller.wake_all();
    }));
  }

  [[nodiscard]] const std::vector<task_ptr>& finished() const noexcept { return state_->finished; }

  /// Those that have finished, but no more than `count`.
  [[nodiscard]] std::vector<task_ptr> first(std::size_t count) const {
    const auto begin = state_->finished.begin();
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(count, state_->finished.size()))};
  }

  /// Waits for another end; false at `until`.
  bool wait(std::optional<steady_time> until) {
    const off_stack<waiter> next(hub::current());
    state_->caller.push(*next);
    if (until) return next->wait_until(*until);
    next->wait();
    return true;
  }

 private:
  std::shared_ptr<gathering> state_ = std::make_shared<gathering>();
  std::vector<std::pair<task_ptr, std::uint64_t>> links_;
};

bool started(const task_base& task) noexcept {
  return task.running_greenlet() != nullptr && task.running_greenlet()->started();
}

}  // namespace

std::vector<task_ptr> join_tasks(const std::vector<task_ptr>& tasks, const joinall_options& options) {
  gatherer ends;
  for (const task_ptr& at : tasks)
    ends.add(at);
  const std::size_t wanted = std::min(options.count, tasks.size());
  for (std::size_t seen = 0;;) {
    const std::vector<task_ptr>& finished = ends.finished();
    for (; seen < std::min(finished.size(), wanted) && options.errors == task_errors::raise; ++seen) {
      if (!finished[seen]->successful()) std::rethrow_exception(finished[seen]->exception());
    }
    if (finished.size() < wanted && ends.wait(options.until)) continue;
    return ends.first(wanted);
  }
}

bool kill_tasks(const std::vector<task_ptr>& tasks, const killall_options& options) {
  for (const task_ptr& at : tasks) {
    if (!started(*at)) at->kill(kill_mode::do_not_wait, options.thrown);
  }
  const task_ptr* caller = nullptr;
  for (const task_ptr& at : tasks) {
    if (at->is_current())
      caller = &at;
    else
      at->kill(kill_mode::do_not_wait, options.thrown);
  }
  if (caller != nullptr) (*caller)->kill(options.mode, options.thrown);
  if (options.mode == kill_mode::wait) return join_tasks(tasks, {.until = options.until}).size() == tasks.size();
  return std::all_of(tasks.begin(), tasks.end(), [](const task_ptr& at) { return at->ready(); });
}

}  // namespace grove::tasks::detail
