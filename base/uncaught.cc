// SPDX-License-Identifier: Apache-2.0
#include "base/uncaught.h"

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include "base/text.h"

namespace grove {
namespace {

void print(const std::type_info& type, const char* text) noexcept {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed),
                                                    &std::free};
  std::fprintf(stderr,
               "grove: ended by an exception that nothing could catch: %s%s%s; it had no handler, or would have left a "
               "destructor or another function that is noexcept\n",
               failed == 0 ? name.get() : type.name(), *text != '\0' ? ": " : "", printable(text).c_str());
}

[[noreturn]] void report() noexcept {
  const std::exception_ptr thrown = std::current_exception();
  if (thrown == nullptr) {
    std::fputs("grove: std::terminate() was called, and not because of an exception\n", stderr);
  } else {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      print(*thrown.__cxa_exception_type(), error.what());
    } catch (...) {
      print(*thrown.__cxa_exception_type(), "");
    }
  }
  std::fflush(stderr);
  std::abort();
}

}  // namespace

void install_uncaught_report() noexcept {
  std::set_terminate(&report);
}

}  // namespace grove
