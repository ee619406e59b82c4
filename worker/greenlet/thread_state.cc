// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/internal/thread_state.h"

#include <cxxabi.h>
#include <pthread.h>

#include <array>
#include <cstdio>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/internal/flow_switching.h"

extern "C" void* __dso_handle;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace grove {
namespace greenlets::detail {

constinit thread_local thread_hot* this_thread = nullptr;
constinit thread_list thread_list::all;

namespace {

/// Ends the state with the thread. Not the destructor of a thread-local object, which runs once: a destructor that
/// comes after it may use greenlets, and so make another state.
void exit_thread(void* state) noexcept {
  static_cast<thread_state*>(state)->exit();
}

/// The libraries find what an exception needs when the first one is thrown, and that takes more stack than
/// stack_low_mark leaves: it is not to be a stack_low.
void throw_once() noexcept {
  try {
    throw stack_low("none");
  } catch (const stack_low&) {
    return;
  }
}

std::byte* thread_stack_base() noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
  void* base = nullptr;
  std::size_t bytes = 0;
  pthread_attr_getstack(&attributes, &base, &bytes);
  pthread_attr_destroy(&attributes);
  return static_cast<std::byte*>(base);
}

}  // namespace

thread_state::thread_state() : layout(grove_gdb_layout) {
  exceptions = &thread_exceptions();
  thread_list& threads = thread_list::all;
  const std::lock_guard lock(threads.mutex);
  next_thread = std::exchange(threads.first, this);
  if (next_thread != nullptr) next_thread->previous_thread = this;
  ++threads.count;
}

thread_state::~thread_state() {
  GROVE_CHECK(all == nullptr, "greenlets outlive the state of their thread");
  thread_list& threads = thread_list::all;
  const std::lock_guard lock(threads.mutex);
  (previous_thread != nullptr ? previous_thread->next_thread : threads.first) = next_thread;
  if (next_thread != nullptr) next_thread->previous_thread = previous_thread;
  --threads.count;
}

thread_state& enter_thread() {
  if (this_thread != nullptr) {
    auto& thread = static_cast<thread_state&>(*this_thread);
    if (thread.has_foreign_drops.load(std::memory_order_relaxed)) thread.take_foreign_drops();
    return thread;
  }
  auto* made = new thread_state();
  this_thread = made;
  abi::__cxa_thread_atexit(&exit_thread, made, &__dso_handle);
  made->make_main();
  return *made;
}

void thread_state::make_main() {
  throw_once();
  main = greenlet::make_main(*this);
}

void thread_state::add_greenlet(greenlet& made) noexcept {
  made.next_ = std::exchange(all, &made);
  if (made.next_ != nullptr) made.next_->previous_ = &made;
  greenlets.fetch_add(1, std::memory_order_relaxed);
  add_holder();
}

void thread_state::unlink_greenlet(greenlet& going) noexcept {
  const auto lock = lock_if_exited();
  (going.previous_ != nullptr ? going.previous_->next_ : all) = going.next_;
  if (going.next_ != nullptr) going.next_->previous_ = going.previous_;
}

void thread_state::remove_greenlet(void* place) noexcept {
  {
    const auto lock = lock_if_exited();
    places.give_back(place);
  }
  greenlets.fetch_sub(1, std::memory_order_relaxed);
  remove_holder();
}

std::unique_lock<std::mutex> thread_state::lock_if_exited() noexcept {
  std::unique_lock lock(mutex, std::defer_lock);
  if (exited.load(std::memory_order_acquire)) lock.lock();
  return lock;
}

void thread_state::remove_holder() noexcept {
  if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void thread_state::take_foreign_drops() noexcept {
  greenlet* list = nullptr;
  continulet* continulets = nullptr;
  {
    const std::lock_guard lock(mutex);
    has_foreign_drops.store(false, std::memory_order_relaxed);
    list = std::exchange(foreign_drops, nullptr);
    continulets = std::exchange(foreign_continulets, nullptr);
  }
  flow_switching::take_dropped(continulets);
  switching::take_dropped(list);
}

void thread_state::report_unraisable(const greenlet& from, std::string_view text) noexcept {
  try {
    if (unraisable) {
      unraisable(from, text);
      return;
    }
  } catch (...) {
    // The hook has failed: the text must not be lost.
  }
  std::array<char, 256> name{};
  const std::size_t name_bytes = write_printable(from.name(), name.data(), name.size());
  std::array<char, 1024> shown{};
  const std::size_t bytes = write_printable(text, shown.data(), shown.size());
  std::fprintf(stderr, "greenlet '%.*s': %.*s\n", static_cast<int>(name_bytes), name.data(), static_cast<int>(bytes),
               shown.data());
}

void thread_state::exit() noexcept {
  for (bool done = false; !done;) {
    take_foreign_drops();
    const std::lock_guard lock(mutex);
    done = foreign_drops == nullptr && foreign_continulets == nullptr;
    if (done) exited.store(true, std::memory_order_release);
  }
  this_thread = nullptr;
  fault_stack.reset();
  main.reset();
}

}  // namespace greenlets::detail

stack_pool& thread_stacks() {
  return greenlets::detail::enter_thread().stacks;
}

unraisable_hook set_unraisable_hook(unraisable_hook hook) {
  return std::exchange(greenlets::detail::enter_thread().unraisable, std::move(hook));
}

greenlet_counts count_greenlets() noexcept {
  using namespace greenlets::detail;
  greenlet_counts found;
  if (this_thread != nullptr) {
    auto& thread = static_cast<thread_state&>(*this_thread);
    found.greenlets = thread.greenlets.load(std::memory_order_relaxed);
    found.stacks = thread.stacks.in_use();
    const std::lock_guard lock(thread.mutex);
    for (const greenlet* at = thread.foreign_drops; at != nullptr; at = switching::next_dropped(*at))
      ++found.pending_drops;
  }
  const std::lock_guard lock(thread_list::all.mutex);
  found.threads = thread_list::all.count;
  return found;
}

void set_thread_loop(void* loop) {
  greenlets::detail::enter_thread().loop = loop;
}

std::size_t stack_remaining() noexcept {
  greenlets::detail::thread_state& thread = greenlets::detail::enter_thread();
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const stack& running = thread.current->running_stack();
  const std::byte* base = running.base();
  if (!running) {  // a main greenlet's own
    if (thread.main_stack_base == nullptr) thread.main_stack_base = greenlets::detail::thread_stack_base();
    base = thread.main_stack_base;
  }
  return here > base ? static_cast<std::size_t>(here - base) : 0;
}

void greenlets::detail::check_stack_slowly() {
  const std::size_t left = stack_remaining();
  if (left >= stack_low_mark) [[likely]]
    return;
  throw stack_low("stack_low: " + std::to_string(left) + " bytes are left of the stack of greenlet '" +
                  std::string(greenlet::current().name()) + "', " + std::to_string(stack_low_mark) + " are needed");
}

}  // namespace grove
