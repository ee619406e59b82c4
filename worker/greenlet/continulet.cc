// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/continulet.h"

#include "worker/greenlet/internal/flow_switching.h"

namespace grove {

using greenlets::detail::enter_thread;
using greenlets::detail::flow_switching;
using greenlets::detail::thread_state;

continulet_ptr::continulet_ptr(continulet* target) noexcept : target_(target) {
  if (target_ != nullptr) target_->handles_.fetch_add(1, std::memory_order_relaxed);
}

void continulet_ptr::reset() noexcept {
  continulet* target = std::exchange(target_, nullptr);
  if (target == nullptr) return;
  if (target->owner_ != nullptr && target->owner_ != greenlets::detail::this_thread)
    flow_switching::dropped_elsewhere(*target);
  else if (target->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    flow_switching::dropped(*target);
}

continulet_ptr continulet::make() {
  return continulet_ptr(new continulet());
}

continulet::~continulet() {
  body_.reset();
  stack_.release();
  slot_.fiber.forget();
  if (owner_ != nullptr) static_cast<thread_state*>(owner_)->remove_holder();
}

void continulet::bind(body_function body) {
  if (state_ != state::empty) throw continulet_error("the continulet has been initialised already");
  if (stack_kind_ == stack_class::sliced) throw continulet_error("a continulet needs a stack of its own");
  thread_state& thread = enter_thread();
  body_ = std::move(body);
  owner_ = &thread;
  thread.add_holder();
  slot_.flow = this;
  state_ = state::unstarted;
}

void continulet::resume_slowly() {
  (void)flow_switching::deliver(*this, nullptr, {});
}

switch_value continulet::switch_slowly(switch_value& passed, continulet* to) {
  return flow_switching::deliver(*this, to, {std::move(passed), nullptr});
}

switch_value continulet::throw_in(std::exception_ptr thrown, continulet* to) {
  if (thrown == nullptr) thrown = std::make_exception_ptr(greenlet_exit());
  return flow_switching::deliver(*this, to, {{}, std::move(thrown)});
}

void permute(std::span<continulet* const> continulets) {
  flow_switching::permute(enter_thread(), continulets);
}

}  // namespace grove
