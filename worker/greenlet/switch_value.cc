// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/switch_value.h"

#include <cxxabi.h>

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

switch_value greenlets::detail::exit_value(const greenlet_exit& caught) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (*type == typeid(greenlet_exit)) return caught;
  return thrown_exit{std::current_exception(), type};
}

switch_value greenlets::detail::exit_value(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const greenlet_exit& caught) {
    return exit_value(caught);
  } catch (...) {
    return {};
  }
}

}  // namespace grove
