// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/iwait.h"

#include <algorithm>
#include <deque>

#include "base/check.h"
#include "worker/greenlet/off_stack.h"

namespace grove {

struct iwait::links {
  class link final : public waiter {
   public:
    link(hub& on, links& of, std::size_t index) noexcept : waiter(on), of_(of), index_(index) { become_link(); }
    ~link() override = default;

   private:
    void notified() noexcept override { of_.completed(index_); }
    links& of_;
    std::size_t index_;
  };

  void completed(std::size_t index) noexcept {
    GROVE_CHECK(done.size() < done.capacity(), "an object that is waited for has become ready twice");
    done.push_back(index);  // within what was reserved
    if (waiter* first = waiting.pop()) first->wake();
  }

  std::deque<link> all;
  std::vector<std::size_t> done;
  std::size_t given = 0;
  waiter_list waiting;
};

iwait::iwait(const std::vector<waitable_ref>& objects, std::optional<steady_time> until, std::size_t count)
    : hub_(hub::current()), until_(until), left_(std::min(count, objects.size())), links_(std::make_unique<links>()) {
  links_->done.reserve(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (objects[i].ready())
      links_->done.push_back(i);
    else
      objects[i].subscribe(links_->all.emplace_back(hub_, *links_, i));
  }
}

iwait::~iwait() = default;

std::optional<std::size_t> iwait::next() {
  if (left_ == 0) return std::nullopt;
  links& from = *links_;
  while (from.given == from.done.size()) {
    const off_stack<waiter> arrival(hub_);
    from.waiting.push(*arrival);
    if (!until_)
      arrival->wait();
    else if (!arrival->wait_until(*until_))
      return std::nullopt;
  }
  --left_;
  return from.done[from.given++];
}

std::vector<std::size_t> wait_all(const std::vector<waitable_ref>& objects, std::optional<steady_time> until,
                                  std::size_t count) {
  std::vector<std::size_t> ready;
  iwait each(objects, until, count);
  while (const std::optional<std::size_t> next = each.next())
    ready.push_back(*next);
  return ready;
}

std::optional<std::size_t> wait_any(const std::vector<waitable_ref>& objects, std::optional<steady_time> until) {
  return iwait(objects, until, 1).next();
}

}  // namespace grove
