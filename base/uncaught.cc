// SPDX-License-Identifier: Apache-2.0
#include "base/uncaught.h"

#include <cxxabi.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

#include "base/fatal.h"
#include "base/text.h"

namespace grove {
namespace {

[[noreturn]] void report_thrown(const std::type_info& type, const char* text) noexcept {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed),
                                                    &std::free};
  std::array<char, 2048> line{};
  std::snprintf(
      line.data(), line.size(),
      "ended by an exception that nothing could catch: %s%s%s; it had no handler, or would have left a destructor "
      "or another function that is noexcept",
      failed == 0 ? name.get() : type.name(), *text != '\0' ? ": " : "", printable(text).c_str());
  fatal(line.data());
}

[[noreturn]] void report() noexcept {
  const std::exception_ptr thrown = std::current_exception();
  if (thrown == nullptr) fatal("std::terminate() was called, and not because of an exception");
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    report_thrown(*thrown.__cxa_exception_type(), error.what());
  } catch (...) {
    report_thrown(*thrown.__cxa_exception_type(), "");
  }
}

}  // namespace

void install_uncaught_report() noexcept {
  std::set_terminate(&report);
}

}  // namespace grove
