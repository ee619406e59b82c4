// SPDX-License-Identifier: Apache-2.0
#pragma once

// What AddressSanitizer, ThreadSanitizer and Valgrind are told of stacks and switches. All of it is empty in a build
// without them.

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define GROVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GROVE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define GROVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GROVE_TSAN 1
#endif
#endif

#ifdef GROVE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef GROVE_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/memcheck.h>) && !defined(GROVE_ASAN) && !defined(GROVE_TSAN)
#include <valgrind/memcheck.h>
#define GROVE_VALGRIND 1
#endif

namespace grove {

/// A context as sanitizers see it. The calls of one switch: leave() or end() before it, arrive() after it.
struct sanitizer_fiber {
#ifdef GROVE_ASAN
  const void* stack_bottom = nullptr;
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;
#endif
#ifdef GROVE_TSAN
  void* fiber = nullptr;
  bool is_thread = false;  // the thread's own fiber, which is not ours to destroy
#endif

  /// A context that starts on a fresh stack.
  void begin([[maybe_unused]] void* base, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef GROVE_ASAN
    ASAN_UNPOISON_MEMORY_REGION(base, bytes);
    stack_bottom = base;
    stack_bytes = bytes;
    fake_stack = nullptr;
#endif
#ifdef GROVE_TSAN
    fiber = __tsan_create_fiber(0);
#endif
  }

  /// The thread's own context.
  void adopt() noexcept {
#ifdef GROVE_TSAN
    fiber = __tsan_get_current_fiber();
    is_thread = true;
#endif
  }

  [[gnu::always_inline]] void leave([[maybe_unused]] sanitizer_fiber& to) noexcept {
#ifdef GROVE_ASAN
    __sanitizer_start_switch_fiber(&fake_stack, to.stack_bottom, to.stack_bytes);
#endif
#ifdef GROVE_TSAN
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
  }

  [[gnu::always_inline]] void end([[maybe_unused]] sanitizer_fiber& to) noexcept {
#ifdef GROVE_ASAN
    __sanitizer_start_switch_fiber(nullptr, to.stack_bottom, to.stack_bytes);
#endif
#ifdef GROVE_TSAN
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
  }

  [[gnu::always_inline]] void arrive([[maybe_unused]] sanitizer_fiber& from) noexcept {
#ifdef GROVE_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &from.stack_bottom, &from.stack_bytes);
#endif
  }

  /// The context is gone.
  void forget() noexcept {
#ifdef GROVE_TSAN
    if (fiber != nullptr && !is_thread) __tsan_destroy_fiber(fiber);
    fiber = nullptr;
#endif
  }
};

/// What frames have poisoned there does not count any more: the bytes are copied away, or given back.
inline void stack_bytes_leave([[maybe_unused]] const void* from, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef GROVE_ASAN
  ASAN_UNPOISON_MEMORY_REGION(from, bytes);
#endif
}

/// Frames are about to be copied to there.
inline void stack_bytes_return([[maybe_unused]] void* to, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef GROVE_ASAN
  ASAN_UNPOISON_MEMORY_REGION(to, bytes);
#endif
#ifdef GROVE_VALGRIND
  VALGRIND_MAKE_MEM_UNDEFINED(to, bytes);
#endif
}

}  // namespace grove
