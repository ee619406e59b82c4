// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/hub.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub_scope.h"
#include "worker/hub/wait_bound.h"
#include "worker/hub/waiter.h"

namespace grove {

namespace hubs::detail {
/// Greenlets in idle(), by the priority that must be quiet.
struct idle_waiters {
  std::array<waiter_list, hub_priorities> until_quiet;
};
}  // namespace hubs::detail

namespace {

constexpr std::chrono::seconds trim_interval{1};
// Asio adds what it is given to the clock: a sum that overflows would make the loop spin.
constexpr std::chrono::hours sleep_max{1};
// Giving stacks back takes up to a hundred microseconds each. While there are more, a hub with nothing to do does it for
// this long at a time, a tenth of its time.
constexpr std::chrono::milliseconds trim_slice{1};
constexpr std::chrono::milliseconds trim_pause{9};
// Reading the clock costs as much as a small item: a batch looks at it this rarely.
constexpr std::size_t items_between_looks = 32;
// Hubs draw identities in blocks, so that no two of the process give out the same one and they rarely meet at the counter.
constexpr std::uint64_t identities_in_block = std::uint64_t{1} << 20U;
constinit std::atomic<std::uint64_t> blocks_drawn{0};

/// A posted callable that did not come with an item of its own.
class posted_call final : public ready_item {
 public:
  explicit posted_call(unique_function<void()> call) : call_(std::move(call)) {}
  void run() override {
    const std::unique_ptr<posted_call> self(this);
    call_();
  }
  void discard() noexcept override { delete this; }

 private:
  unique_function<void()> call_;
};

int make_eventfd() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "eventfd for the hub");
  return fd;
}

void write_error(std::string_view where, const std::exception_ptr& error) noexcept {
  std::string_view text = "something that is not a std::exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "error in %.*s: %s\n", static_cast<int>(where.size()), where.data(), thrown.what());
  } catch (...) {
    std::fprintf(stderr, "error in %.*s: %s\n", static_cast<int>(where.size()), where.data(), text.data());
  }
}

}  // namespace

hub::hub(const clock& time, hub_options options)
    : time_(time),
      options_(options),
      greenlet_(&greenlet::current()),
      pass_time_(time.now()),
      io_looked_at_(pass_time_),
      trims_at_(time_after(pass_time_, trim_interval)),
      io_(ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(io_.get_executor()),
      pokes_(io_, [this] { take_pokes(); }),
      poke_fd_(-1) {
  if (thread_loop() != nullptr && !options.shares_thread) throw greenlet_error("the thread has a hub");
  poke_fd_ = make_eventfd();
  pokes_.begin(poke_fd_);
  if (!options.shares_thread) set_thread_loop(this);
}

hub::~hub() {
  GROVE_CHECK(in_hub(), "a hub is destroyed by another greenlet than the one that made it");
  std::optional<hub_scope> own{*this};
  unwind_tasks();
  while (!services_.empty())
    services_.pop_back();
  GROVE_CHECK(waiting_ == 0, "a hub is destroyed while greenlets wait in it: drop them first");
  for (ready_queue& queue : ready_) {
    while (!queue.empty())
      queue.pop().discard();
  }
  foreign_taken_.clear();
  foreign_.clear();
  own.reset();
  if (thread_loop() == this) set_thread_loop(nullptr);
}

void hub::throw_no_hub() {
  throw greenlet_error("the thread has no hub");
}

void hub::require_hub_context() const {
  if (!in_hub()) throw greenlet_error("the loop is run by another greenlet than the one that made the hub");
}

void hub::run() {
  require_hub_context();
  const hub_scope own{*this};
  while (!stopping_.load(std::memory_order_acquire)) {
    if (!pass(false)) sleep();
  }
  stopping_.store(false, std::memory_order_relaxed);
  if (system_error_ != nullptr) throw_system_error();
}

bool hub::poll() {
  require_hub_context();
  const hub_scope own{*this};
  const bool did = pass(true);
  if (system_error_ != nullptr) throw_system_error();
  return did;
}

bool hub::run_ready(std::size_t passes_max) {
  bool did = false;
  for (std::size_t i = 0; i < passes_max && poll(); ++i)
    did = true;
  return did;
}

void hub::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  poke();
}

bool hub::pass(bool look_at_io) {
  GROVE_DEBUG_CHECK(in_hub(), "a pass of the loop is run by another greenlet than the hub's");
  passes_.store(passes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  pass_time_ = looked_at_ = time_.now();
  bool did = poked_.load(std::memory_order_relaxed) && poked_.exchange(false, std::memory_order_acquire);
  if (!stack_waiters_.empty()) try_stack_waiters();
  if (has_foreign_.load(std::memory_order_relaxed)) did |= run_foreign();
  const bool did_high = !ready(hub_priority::high).empty() && run_batch(hub_priority::high);
  if (!ready(hub_priority::normal).empty()) did |= run_batch(hub_priority::normal);
  const bool did_low = !ready(hub_priority::low).empty() && run_batch(hub_priority::low);
  did |= poll_components();
  if (!timers_.empty()) did |= fire_timers();
  const bool io_is_due =
      ++passes_without_io_ >= options_.passes_without_io_max || pass_time_ - io_looked_at_ >= options_.without_io_max;
  if (look_at_io || io_is_due || !(did | did_high | did_low)) did |= poll_io();
  if (idle_ != nullptr) did |= wake_idle(did_high ? 0 : did ? 1 : did_low ? 2 : hub_priorities);
  return did | did_high | did_low;
}

bool hub::is_time_over(steady_time batch_began) noexcept {
  looked_at_ = now();
  return looked_at_ - batch_began >= options_.batch_for;
}

bool hub::run_batch(hub_priority priority) {
  ready_queue& queue = ready(priority);
  const std::size_t count = std::min(queue.size(), options_.batch_max);
  const steady_time began = looked_at_;
  for (std::size_t ran = 0; ran < count && !queue.empty();) {
    const std::size_t some = run_some(queue, std::min(count - ran, items_between_looks));
    ran += some;
    if (some == items_between_looks && is_time_over(began)) break;
  }
  return count > 0;
}

std::size_t hub::run_some(ready_queue& queue, std::size_t count) {
  std::size_t left = count;
  while (left > 0 && !queue.empty()) {
    ready_item& next = queue.pop();
    --left;
    const bool leaves_hub = handover_.may_follow(next);
    if (leaves_hub) handover_.open(queue, left);
    std::exception_ptr error;
    try {
      next.run();
    } catch (...) {
      error = caught_error();
    }
    if (leaves_hub) left = handover_.close();
    if (error != nullptr) report("a greenlet or callback run by the hub", error);
  }
  return count - left;
}

bool hub::poll_components() {
  bool did = false;
  for (std::size_t i = 0; i < components_.size(); ++i) {
    try {
      did |= components_[i]->poll();
    } catch (...) {
      report("a component of the hub", caught_error());
      did = true;
    }
  }
  return did;
}

bool hub::run_foreign() {
  if (foreign_ran_ == foreign_taken_.size()) {
    foreign_taken_.clear();
    foreign_ran_ = 0;
    const std::lock_guard lock(foreign_mutex_);
    foreign_taken_.swap(foreign_);
  }
  const std::size_t end = std::min(foreign_taken_.size(), foreign_ran_ + options_.batch_max);
  const steady_time began = looked_at_;
  for (std::size_t ran = 0; foreign_ran_ < end;) {
    try {
      std::exchange(foreign_taken_[foreign_ran_++], nullptr)();
    } catch (...) {
      report("a call posted from another thread", caught_error());
    }
    if (++ran % items_between_looks == 0 && is_time_over(began)) break;
  }
  if (foreign_ran_ == foreign_taken_.size()) {
    const std::lock_guard lock(foreign_mutex_);
    has_foreign_.store(!foreign_.empty(), std::memory_order_relaxed);
  }
  return true;
}

bool hub::fire_timers() {
  std::size_t fired = 0;
  const steady_time began = looked_at_;
  const std::uint64_t armed_before = timers_.armed_ever();
  while (fired < options_.batch_max) {
    hub_timer* due = timers_.pop_due(pass_time_, armed_before);
    if (due == nullptr) break;
    try {
      due->expired();
    } catch (...) {
      report("a timer", caught_error());
    }
    if (++fired % items_between_looks == 0 && is_time_over(began)) break;
  }
  return fired > 0;
}

bool hub::poll_io() {
  passes_without_io_ = 0;
  io_looked_at_ = pass_time_;
  // Not io_context::poll(): under load handlers make new work as quickly as they finish it, and it would not return while
  // timers, other threads and the mesh wait.
  const steady_time end = time_after(now(), options_.completions_for);
  std::size_t ran = 0;
  try {
    while (ran < options_.completions_max && io_.poll_one() > 0) {
      ++ran;
      if (now() >= end) break;
    }
  } catch (...) {
    report("a completion handler", caught_error());
    ++ran;
  }
  return ran > 0;
}

void hub::sleep() {
  if (!fall_asleep()) return;
  block();
  wake_up();
}

bool hub::fall_asleep() {
  // poke() looks at sleeping_ after it has set poked_; this looks at poked_ after that.
  sleeping_.store(true, std::memory_order_seq_cst);
  bool agreed = true;
  sleepers_ = 0;
  while (agreed && sleepers_ < components_.size())
    agreed = components_[sleepers_++]->prepare_sleep();
  if (agreed && !poked_.load(std::memory_order_seq_cst) && nothing_ready()) return true;
  wake_up();
  return false;
}

void hub::wake_up() {
  sleeping_.store(false, std::memory_order_relaxed);
  for (std::size_t i = 0; i < sleepers_ && i < components_.size(); ++i)
    components_[i]->woke();
}

bool hub::has_work() const noexcept {
  return !nothing_ready() || poked_.load(std::memory_order_relaxed) || has_foreign_.load(std::memory_order_relaxed) ||
         (!timers_.empty() && timers_.next() <= now());
}

std::optional<steady_time> hub::next_timer() const noexcept {
  if (timers_.empty()) return std::nullopt;
  return timers_.next();
}

void hub::block() {
  trim();
  try {
    // Without a timer it need not wake for the trim of each second, but for what that has left over.
    if (timers_.empty() && !trims_on_) {
      io_.run_one();
      return;
    }
    steady_time until = timers_.empty() ? trims_at_ : timers_.next();
    if (trims_on_) until = std::min(until, trims_at_);
    const steady_time asleep_from = now();
    if (until > asleep_from) io_.run_one_for(std::min<steady_duration>(until - asleep_from, sleep_max));
  } catch (...) {
    report("a completion handler", caught_error());
  }
}

void hub::trim() noexcept {
  if (pass_time_ < trims_at_) return;
  stack_pool& stacks = thread_stacks();
  stacks.trim(time_, trim_slice);
  trims_on_ = stacks.has_untrimmed();
  trims_at_ = time_after(now(), trims_on_ ? steady_duration(trim_pause) : steady_duration(trim_interval));
  for (ready_queue& queue : ready_)
    queue.trim();
}

void hub::take_pokes() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = ::read(poke_fd_, &count, sizeof count);
  signalled_.store(false, std::memory_order_seq_cst);
}

void hub::poke() noexcept {
  poked_.store(true, std::memory_order_seq_cst);
  if (!sleeping_.load(std::memory_order_seq_cst) || signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(poke_fd_, &one, sizeof one);
}

void hub::post(unique_function<void()> call, hub_priority priority) {
  post(*new posted_call(std::move(call)), priority);
}

void hub::post_from_thread(unique_function<void()> call) {
  {
    const std::lock_guard lock(foreign_mutex_);
    foreign_.push_back(std::move(call));
    has_foreign_.store(true, std::memory_order_relaxed);
  }
  poke();
}

void hub::release() noexcept {
  GROVE_CHECK(holds_ > 0, "a hub is released more often than it was held");
  --holds_;
}

void hub::attach(hub_component& component) {
  GROVE_CHECK(is_on_thread(), "a component is attached from another thread than the hub's");
  GROVE_CHECK(std::ranges::find(components_, &component) == components_.end(), "a component is attached twice");
  components_.push_back(&component);
}

void hub::detach(hub_component& component) noexcept {
  GROVE_CHECK(is_on_thread(), "a component is detached from another thread than the hub's");
  const std::size_t detached = std::erase(components_, &component);
  GROVE_CHECK(detached == 1, "a component is detached that is not attached");
}

hub_service* hub::find_service(const void* kind) const noexcept {
  for (const owned_service& at : services_) {
    if (at.kind == kind) return at.object.get();
  }
  return nullptr;
}

std::uint64_t hub::draw_identity() noexcept {
  if (last_identity_ % identities_in_block == 0)
    last_identity_ = blocks_drawn.fetch_add(1, std::memory_order_relaxed) * identities_in_block;
  return ++last_identity_;
}

bool hub::interrupt(greenlet& target, std::exception_ptr thrown, const void* source) noexcept {
  GROVE_DEBUG_CHECK(is_on_thread(), "a greenlet is interrupted from another thread than its hub's");
  GROVE_CHECK(thrown != nullptr, "a greenlet is interrupted by nothing");
  greenlet_slots& slots = target.slots();
  if (slots.pending != nullptr || target.dead()) return false;
  slots.pending = std::move(thrown);
  slots.pending_source = source;
  if (slots.waiter != nullptr) static_cast<waiter*>(slots.waiter)->interrupt_from_outside(slots.pending);
  return true;
}

bool hub::cancel_interrupt(greenlet& target, const void* source) noexcept {
  greenlet_slots& slots = target.slots();
  if (slots.pending == nullptr || (source != nullptr && slots.pending_source != source)) return false;
  const auto* const waits_in = static_cast<const waiter*>(slots.waiter);
  if (waits_in != nullptr && waits_in->delivering() && wait_bound::pending_in(target) == nullptr) return false;
  slots.pending = nullptr;
  slots.pending_source = nullptr;
  return true;
}

bool hub::interrupt_pending(const greenlet& target) const noexcept {
  return target.slots().pending != nullptr;
}

waiter_list& hub::idle_waiters(hub_priority quiet) {
  if (idle_ == nullptr) idle_ = std::make_unique<hubs::detail::idle_waiters>();
  return idle_->until_quiet[static_cast<std::size_t>(quiet)];
}

bool hub::wake_idle(std::size_t busiest) noexcept {
  bool woke = false;
  for (std::size_t quiet = 0; quiet < busiest; ++quiet) {
    woke |= !idle_->until_quiet[quiet].empty();
    idle_->until_quiet[quiet].wake_all();
  }
  return woke;
}

error_kind hub::kind_of(const std::exception_ptr& error) noexcept {
  if (!error_classifier_) return error_kind::ordinary;
  try {
    return error_classifier_(error);
  } catch (...) {
    write_error("the hub's error classifier", caught_error());
    return error_kind::ordinary;
  }
}

bool hub::escalate(const std::exception_ptr& error) noexcept {
  if (kind_of(error) != error_kind::system) return false;
  if (system_error_ == nullptr) system_error_ = error;
  stop();
  return true;
}

void hub::throw_system_error() {
  stopping_.store(false, std::memory_order_relaxed);
  std::rethrow_exception(std::exchange(system_error_, nullptr));
}

void hub::report(std::string_view where, const std::exception_ptr& error) noexcept {
  if (escalate(error) || kind_of(error) == error_kind::ignored) return;
  try {
    if (error_handler_) {
      error_handler_(where, error);
      return;
    }
  } catch (...) {
    write_error("the hub's error handler", caught_error());
  }
  write_error(where, error);
}

void idle(hub_priority quiet) {
  hub& on = hub::current();
  const off_stack<waiter> until_quiet(on);
  on.idle_waiters(quiet).push(*until_quiet);
  until_quiet->wait();
}

}  // namespace grove
