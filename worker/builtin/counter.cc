// SPDX-License-Identifier: Apache-2.0
#include "worker/builtin/counter.h"

#include <string>
#include <utility>

namespace grove::builtin {
namespace {

v1::CounterValue answer(std::int64_t value) {
  v1::CounterValue made;
  made.set_value(value);
  return made;
}

}  // namespace

v1::CounterValue CounterActor::Add(const v1::CounterAddRequest& request) {
  const std::int64_t by = request.has_by() ? request.by() : 1;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(std::as_const(*this).state().value(), by, &sum)) {
    throw out_of_range{"the sum of " + std::to_string(std::as_const(*this).state().value()) + " and " +
                       std::to_string(by) + " does not fit into 64 bits"};
  }
  state_without_undo().set_value(sum);
  return answer(sum);
}

v1::CounterValue CounterActor::Get(const v1::CounterGetRequest&) const {
  return answer(state().value());
}

v1::CounterValue CounterActor::Reset(const v1::CounterResetRequest&) {
  const std::int64_t before = std::as_const(*this).state().value();
  state_without_undo().set_value(0);
  return answer(before);
}

}  // namespace grove::builtin
