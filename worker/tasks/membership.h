// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "worker/tasks/joinall.h"

namespace grove::tasks::detail {

/// Who is in a group. Shared by the group, the links that take finished members out, and whoever waits to get in, so
/// that none of them minds when the group goes away.
///
/// - A member has a place. It gives it back exactly once: when it has finished, in whatever way, or is discarded.
/// - Members leave in the hub's context before anything that was linked to them, or joins them, later.
class membership : public std::enable_shared_from_this<membership> {
 public:
  explicit membership(hub& on) noexcept : hub_(on) {}
  membership(const membership&) = delete;
  membership& operator=(const membership&) = delete;
  virtual ~membership() = default;

  [[nodiscard]] hub& on() const noexcept { return hub_; }
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  [[nodiscard]] bool contains(const task_base* task) const noexcept { return places_.contains(task); }
  /// The calling greenlet is one of them.
  [[nodiscard]] bool has_caller() const noexcept;
  /// In the order of adding.
  [[nodiscard]] std::vector<task_ptr> members() const;

  /// Takes a place: true if there was one, until `until`.
  /// Errors: greenlet_error if the group has gone.
  [[nodiscard]] bool enter(std::optional<steady_time> until);
  [[nodiscard]] bool try_enter();
  /// Spawns a member into the place that has been taken.
  template <typename F>
  auto spawn_entered(F&& body) {
    entered mine(*this);
    auto task = spawn_on(hub_, std::forward<F>(body));
    mine.keep_for(task);
    return task;
  }
  /// The same for a task that there is.
  void add_entered(const task_ptr& task);

  template <typename F>
  auto spawn(F&& body) {
    (void)enter(std::nullopt);
    return spawn_entered(std::forward<F>(body));
  }
  /// False if it was not a member.
  bool discard(task_base& task) noexcept;

  /// Kills the members, each once: those that it has not killed before. The caller, if it is one, in any case and last,
  /// at its next wait.
  void kill_all(const std::exception_ptr& thrown);
  /// The same for one, the caller perhaps. True if it has finished.
  bool kill_one(const task_ptr& task, kill_mode mode, std::exception_ptr thrown, std::optional<steady_time> until);

  /// False at `until`.
  bool wait_empty(std::optional<steady_time> until);
  /// kill_all(), also of those that come while it waits.
  bool kill_and_wait(const std::exception_ptr& thrown, std::optional<steady_time> until);
  /// Takes no more members, kills those that there are, killed before or not, and waits for their end, where the caller
  /// may wait.
  void end() noexcept;

 protected:
  /// What limits the members: nothing, here.
  virtual bool take_place(std::optional<steady_time> /*until*/) { return true; }
  virtual bool try_take_place() noexcept { return true; }
  virtual void give_place_back() noexcept {}

 private:
  struct place {
    std::uint64_t number;
    std::uint64_t link;
    bool killed = false;
  };
  /// A place that is given back unless a task gets it.
  class entered {
   public:
    explicit entered(membership& in) noexcept : in_(in) {}
    entered(const entered&) = delete;
    entered& operator=(const entered&) = delete;
    ~entered() {
      if (!kept_) in_.give_place_back();
    }
    void keep_for(const task_ptr& task);

   private:
    membership& in_;
    bool kept_ = false;
  };

  void require_open() const;
  /// Whom kill_all() kills.
  [[nodiscard]] std::vector<task_ptr> take_unkilled();
  void leave(const task_base& task) noexcept;
  [[nodiscard]] bool caller_may_wait() const noexcept;

  hub& hub_;
  bool ended_ = false;
  unsigned killing_ = 0;  // how many kill_and_wait() wait
  std::exception_ptr killed_with_;
  std::uint64_t members_ever_ = 0;
  std::map<std::uint64_t, task_ptr> order_;
  std::unordered_map<const task_base*, place> places_;
  waiter_list until_empty_;
};

}  // namespace grove::tasks::detail
