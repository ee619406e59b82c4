// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/switch_value.h"

#include "worker/greenlet/internal/demangle.h"

namespace grove {

namespace {
std::string mismatch(const std::type_info& passed, const std::type_info& wanted) {
  using greenlets::detail::demangle;
  const std::string what = passed == typeid(void) ? "nothing" : demangle(passed.name());
  return "the switch passed " + what + " where " + demangle(wanted.name()) + " is expected";
}
}  // namespace

switch_type_error::switch_type_error(const std::type_info& passed, const std::type_info& wanted)
    : text_(std::make_shared<const std::string>(mismatch(passed, wanted))), value_(std::make_shared<switch_value>()) {}

switch_type_error::switch_type_error(switch_value passed, const std::type_info& wanted)
    : text_(std::make_shared<const std::string>(mismatch(passed.type(), wanted))) {
  greenlets::detail::lending::bring_home(passed);
  value_ = std::make_shared<switch_value>(std::move(passed));
}

}  // namespace grove
