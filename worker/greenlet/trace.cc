// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/trace.h"

#include <memory>
#include <utility>

#include "worker/greenlet/internal/thread_state.h"

namespace grove {

using greenlets::detail::thread_state;

trace_function set_trace(trace_function tracer) {
  thread_state& thread = greenlets::detail::enter_thread();
  auto made = tracer ? std::make_shared<const trace_function>(std::move(tracer)) : nullptr;
  const std::shared_ptr<const trace_function> previous = std::exchange(thread.tracer, std::move(made));
  if (thread.tracer != nullptr)
    thread.attention |= greenlets::detail::attention_traced;
  else
    thread.attention &= ~static_cast<unsigned>(greenlets::detail::attention_traced);
  return previous != nullptr ? *previous : trace_function();
}

trace_function current_trace() {
  const thread_state& thread = greenlets::detail::enter_thread();
  return thread.tracer != nullptr ? *thread.tracer : trace_function();
}

void greenlets::detail::tell_tracer(thread_state& thread, const std::vector<trace_step>& steps) {
  for (const trace_step& step : steps) {
    // A copy of the pointer: the tracer may set another one.
    const std::shared_ptr<const trace_function> tracer = thread.tracer;
    if (tracer == nullptr) return;
    try {
      (*tracer)(step.event, *step.origin, *step.target);
    } catch (...) {
      set_trace(nullptr);
      throw;
    }
  }
}

}  // namespace grove
