// SPDX-License-Identifier: Apache-2.0

// What tools/grove-gdb.py has to know to find all greenlets in a process or a core file that has no types, only names.

#include <cstddef>
#include <cstdint>

#include "worker/greenlet/continulet.h"
#include "worker/greenlet/internal/thread_state.h"

// The classes have no standard layout, but GCC and Clang know the offsets of their members.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace grove::greenlets::detail {

// How a suspended context keeps its registers, see jump.h.
#ifdef GROVE_OWN_JUMP
constexpr std::uint64_t own_jump_used = 1;
#else
constexpr std::uint64_t own_jump_used = 0;
#endif

struct gdb_layout {
  std::uint64_t version;
  const void* first_thread;
  std::uint64_t thread_next;
  std::uint64_t thread_greenlets;
  std::uint64_t thread_current;
  std::uint64_t thread_exited;
  std::uint64_t greenlet_next;
  std::uint64_t greenlet_parent;
  std::uint64_t greenlet_state;
  std::uint64_t greenlet_is_main;
  std::uint64_t greenlet_name_bytes;
  std::uint64_t greenlet_name;
  std::uint64_t greenlet_suspended_at;
  std::uint64_t own_jump;
  std::uint64_t greenlet_flow;
  std::uint64_t continulet_suspended_at;
  std::uint64_t continulet_flow;

  static constexpr gdb_layout make() noexcept {
    return {.version = 2,
            .first_thread = &thread_list::all.first,
            .thread_next = offsetof(thread_state, next_thread),
            .thread_greenlets = offsetof(thread_state, all),
            .thread_current = offsetof(thread_state, current),
            .thread_exited = offsetof(thread_state, exited),
            .greenlet_next = offsetof(greenlet, next_),
            .greenlet_parent = offsetof(greenlet, parent_),
            .greenlet_state = offsetof(greenlet, state_),
            .greenlet_is_main = offsetof(greenlet, is_main_),
            .greenlet_name_bytes = offsetof(greenlet, name_),
            .greenlet_name = offsetof(greenlet, name_) + sizeof(std::size_t),
            .greenlet_suspended_at = offsetof(greenlet, context_) + offsetof(execution_context, suspended_at),
            .own_jump = own_jump_used,
            .greenlet_flow = offsetof(greenlet, context_) + offsetof(execution_context, flow),
            .continulet_suspended_at = offsetof(continulet, slot_) + offsetof(execution_context, suspended_at),
            .continulet_flow = offsetof(continulet, slot_) + offsetof(execution_context, flow)};
  }
};
// A std::string_view of libstdc++ is a length and a pointer.
static_assert(sizeof(std::string_view) == 2 * sizeof(std::size_t));

extern "C" {
constinit const gdb_layout grove_gdb_layout = gdb_layout::make();
}

}  // namespace grove::greenlets::detail
