// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/greenlet.h"

#include "worker/greenlet/context.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/internal/sliced_stacks.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

using greenlets::detail::enter_thread;
using greenlets::detail::switching;
using greenlets::detail::thread_state;

greenlet_ptr::greenlet_ptr(greenlet* target) noexcept : target_(target) {
  if (target_ != nullptr) target_->handles_.fetch_add(1, std::memory_order_relaxed);
}

void greenlet_ptr::reset() noexcept {
  greenlet* target = std::exchange(target_, nullptr);
  if (target == nullptr) return;
  if (target->owner_ != greenlets::detail::this_thread)
    switching::dropped_elsewhere(*target);
  else if (target->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    switching::dropped(*target);
}

greenlet::greenlet(thread_state& owner, greenlets::detail::body_function run, const greenlet_options& options)
    : owner_(&owner), stack_kind_(options.stack), parent_(options.parent), name_(options.name), run_(std::move(run)) {
  owner.add_greenlet(*this);
}

greenlet::~greenlet() {
  run_.reset();
  parent_.reset();
  release_stack();
  context_.fiber.forget();
  greenlets::detail::drop_context(values_);
  owner().unlink_greenlet(*this);
}

greenlet_ptr greenlet::make_in(thread_state& owner, greenlets::detail::body_function run,
                               const greenlet_options& options) {
  return greenlet_ptr(new (owner.places.take()) greenlet(owner, std::move(run), options));
}

void greenlet::destroy(greenlet& gone) noexcept {
  thread_state& owner = gone.owner();
  gone.~greenlet();
  owner.remove_greenlet(&gone);
}

greenlet_ptr greenlet::make_from(greenlets::detail::body_function run, const greenlet_options& options) {
  thread_state& thread = enter_thread();
  greenlet_options made = options;
  if (made.parent == nullptr) made.parent = thread.current;
  if (made.parent->owner_ != &thread) throw greenlet_error("the parent of a greenlet must be of the same thread");
  return make_in(thread, std::move(run), made);
}

greenlet_ptr greenlet::make_main(thread_state& owner) {
  greenlet_ptr made = make_in(owner, nullptr, {.name = "main"});
  made->is_main_ = true;
  made->state_ = state::live;
  made->context_.fiber.adopt();
  owner.current = made.get();
  return made;
}

thread_state& greenlet::owner() const noexcept {
  return static_cast<thread_state&>(*owner_);
}

greenlet& greenlet::enter() {
  return *enter_thread().current;
}

greenlet& greenlet::main() {
  return *enter_thread().main;
}

bool greenlet::dead() const noexcept {
  return state_ == state::finished || owner().exited.load(std::memory_order_acquire);
}

const stack& greenlet::running_stack() const noexcept {
  return context_.flow == nullptr ? own_stack() : context_.flow->stack_;
}

void greenlet::resume_slowly() {
  greenlets::detail::take_slowly<void>([this](greenlets::detail::taker with) {
    switch_value nothing;
    switch_slowly(nothing, with);
  });
}

void greenlet::arrive_slowly(greenlets::detail::thread_hot& thread) {
  using greenlets::detail::taker;
  greenlets::detail::take_slowly<void>(
      [&](taker with) { switching::arrived(static_cast<thread_state&>(thread), with); });
}

greenlet_ptr greenlet::kept_from_foreign_drops() noexcept {
  return greenlet_ptr(owner_->has_foreign_drops.load(std::memory_order_relaxed) ? this : nullptr);
}

void greenlet::switch_slowly(switch_value& passed, greenlets::detail::taker with) {
  // What can fail comes first: nothing that is passed is lost then.
  switching::check_owner(*this);
  const greenlet_ptr kept = kept_from_foreign_drops();
  thread_state& thread = enter_thread();
  greenlet* receiver = this;
  while (receiver->state_ == state::finished)
    receiver = receiver->parent_.get();
  if (!receiver->try_reserve_stack()) throw stacks_exhausted("all stacks of the thread's pool are in use");
  switching::deliver(thread, *this, {std::move(passed), nullptr}, with);
}

void greenlets::detail::receive_slowly(thread_hot& thread, taker with) {
  switching::arrived(static_cast<thread_state&>(thread), with);
}

void greenlets::detail::body_frame::end(switch_value result) noexcept {
  switching::end(static_cast<thread_state&>(thread_), {std::move(result), nullptr});
}

switch_value greenlet::throw_in(std::exception_ptr thrown) {
  switching::check_owner(*this);
  const greenlet_ptr kept = kept_from_foreign_drops();
  if (thrown == nullptr) thrown = std::make_exception_ptr(greenlet_exit());
  return switching::deliver(enter_thread(), *this, {{}, std::move(thrown)});
}

void greenlet::set_parent(greenlet& parent) {
  switching::check_owner(*this);
  if (is_main_) throw greenlet_error("a main greenlet has no parent");
  if (parent.owner_ != owner_) throw greenlet_error("the parent of a greenlet must be of the same thread");
  for (const greenlet* at = &parent; at != nullptr; at = at->parent_.get()) {
    if (at == this) throw greenlet_error("cyclic parent chain");
  }
  parent_ = greenlet_ptr(&parent);
}

bool greenlet::try_renew(const greenlet& parent) noexcept {
  // Nothing is destroyed here that might run code of somebody's.
  if (slots_.locals.values != nullptr || slots_.pending != nullptr || values_ != nullptr) return false;
  if (!is_current() || greenlets::detail::this_thread->attention != 0 || unwinding_ || context_.flow != nullptr ||
      parent_.get() != &parent || handles_.load(std::memory_order_acquire) != 1)
    return false;
  std::destroy_at(&slots_);
  std::construct_at(&slots_);
  set_name({});
  return true;
}

const stack& greenlet::own_stack() const noexcept {
  return slice_ != nullptr ? slice_->region.bytes : stack_;
}

void greenlet::release_stack() noexcept {
  greenlets::detail::sliced_stacks::forget(*this);
  stack_.release();
}

bool greenlet::try_reserve_stack() {
  switching::check_owner(*this);
  if (stack_ || slice_ != nullptr || state_ != state::fresh) return true;
  if (sliced()) {
    slice_ = owner().sliced.make_slice();
    return slice_ != nullptr;
  }
  std::optional<stack> taken = owner().stacks.try_take(stack_kind_);
  if (taken) stack_ = std::move(*taken);
  return taken.has_value();
}

}  // namespace grove
