// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/throw_path.h"

#include <unwind.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <typeinfo>

#include "worker/greenlet/internal/thread_state.h"

// The language-specific data area of a function, as GCC and Clang write it (the C++ ABI for Itanium, "Exception
// handling tables"):
//
//   u8 encoding of the landing pads' base, and the base unless that is 0xff (then it is the begin of the function)
//   u8 encoding of the types, and ULEB128 the offset of their end from here unless that is 0xff
//   u8 encoding of the call sites, ULEB128 the size of their table, the table
//     a call site: begin, size, landing pad (0: none), ULEB128 one more than the offset of its first action (0: none)
//   the actions
//     an action: SLEB128 filter (0: clean-up, above: the number of a type from the end, below: an exception
//     specification), SLEB128 offset of the next action from here (0: the last)
//
// A call that is in no call site must not throw. A function that is noexcept may still have landing pads, for what it
// has to clean up and for the handlers that it has: they end in std::terminate() in place of _Unwind_Resume(). Which of
// the two is not in the tables; but a function that lets something out has a call site without a landing pad.

// libgcc's, which has no header for it.
struct dwarf_eh_bases {
  void* text;
  void* data;
  void* function;
};
extern "C" const void* _Unwind_Find_FDE(void* address, dwarf_eh_bases* found);  // NOLINT(bugprone-reserved-identifier)

namespace grove {

namespace {

enum encoding : unsigned {
  absolute = 0x00,
  uleb = 0x01,
  udata2 = 0x02,
  udata4 = 0x03,
  udata8 = 0x04,
  sleb = 0x09,
  sdata2 = 0x0a,
  sdata4 = 0x0b,
  sdata8 = 0x0c,
  format = 0x0f,
  relative = 0x10,
  indirect = 0x80,
  omitted = 0xff,
};

class reader {
 public:
  explicit reader(const std::uint8_t* at) noexcept : at_(at) {}
  [[nodiscard]] const std::uint8_t* at() const noexcept { return at_; }
  std::uint8_t byte() noexcept { return *at_++; }

  std::uintptr_t unsigned_leb() noexcept { return leb().value; }
  std::intptr_t signed_leb() noexcept {
    const leb_value read = leb();
    const bool negative = (read.last & 0x40U) != 0 && read.bits < 8 * sizeof read.value;
    return static_cast<std::intptr_t>(negative ? read.value | (~std::uintptr_t{0} << read.bits) : read.value);
  }

  /// A value that is an address; 0 means none.
  std::uintptr_t pointer(unsigned how) noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(at_);
    std::uintptr_t read = value(how);
    if (read == 0) return 0;
    if ((how & relative) != 0) read += here;
    if ((how & indirect) != 0) std::memcpy(&read, reinterpret_cast<const void*>(read), sizeof read);  // NOLINT
    return read;
  }
  /// What is written, without `relative` and `indirect`.
  std::uintptr_t value(unsigned how) noexcept {
    switch (how & format) {
      case uleb:
        return unsigned_leb();
      case sleb:
        return static_cast<std::uintptr_t>(signed_leb());
      case udata2:
        return number<std::uint16_t>();
      case sdata2:
        return static_cast<std::uintptr_t>(std::intptr_t{number<std::int16_t>()});
      case udata4:
        return number<std::uint32_t>();
      case sdata4:
        return static_cast<std::uintptr_t>(std::intptr_t{number<std::int32_t>()});
      default:
        return number<std::uintptr_t>();
    }
  }

 private:
  struct leb_value {
    std::uintptr_t value = 0;
    unsigned bits = 0;
    std::uint8_t last = 0;
  };
  leb_value leb() noexcept {
    leb_value read;
    do {
      read.last = byte();
      read.value |= (read.last & std::uintptr_t{0x7f}) << read.bits;
      read.bits += 7;
    } while ((read.last & 0x80U) != 0);
    return read;
  }
  template <typename Number>
  Number number() noexcept {
    Number read;
    std::memcpy(&read, at_, sizeof read);
    at_ += sizeof read;
    return read;
  }

  const std::uint8_t* at_;
};

std::size_t size_of(unsigned how) noexcept {
  switch (how & format) {
    case udata2:
    case sdata2:
      return 2;
    case udata4:
    case sdata4:
      return 4;
    default:
      return sizeof(std::uintptr_t);
  }
}

enum class fate { goes_on, is_caught, ends_process };

/// A call that a function has made, in which the search is.
struct call_site {
  const std::uint8_t* data = nullptr;  // of the function
  std::uintptr_t function = 0;         // where it begins
  std::uintptr_t offset = 0;           // in it
};

struct search {
  const std::type_info* type;
  void* object;
  std::uintptr_t owner;
  call_site last{};                 // looked at when it is known where its frame ends
  fate found = fate::ends_process;  // as it is without any handler
};

/// What a call site's actions do with the exception.
fate fate_of_actions(const search& of, const std::uint8_t* action, const std::uint8_t* types_end, unsigned how) {
  for (;;) {
    reader in(action);
    const std::intptr_t filter = in.signed_leb();
    const std::uint8_t* const from = in.at();
    const std::intptr_t next = in.signed_leb();
    if (filter < 0) return fate::goes_on;  // into a landing pad that does not let it out
    if (filter > 0) {
      const std::uintptr_t at = reader(types_end - static_cast<std::size_t>(filter) * size_of(how)).pointer(how);
      if (at == 0) return fate::is_caught;
      void* object = of.object;
      const auto* const caught = reinterpret_cast<const std::type_info*>(at);  // NOLINT(performance-no-int-to-ptr)
      if (of.type->__is_pointer_p()) std::memcpy(&object, object, sizeof object);
      if (caught->__do_catch(of.type, &object, 1)) return fate::is_caught;
    }
    if (next == 0) return fate::goes_on;
    action = from + next;
  }
}

/// Whether a function (the part of it that has this data) has a call that it lets an exception pass from. What does not
/// stay in a landing pad leaves it by such a call, of _Unwind_Resume(); where the function is noexcept there is none.
bool has_open_call(const std::uint8_t* data) {
  reader in(data);
  if (const unsigned how = in.byte(); how != omitted) (void)in.value(how);
  if (in.byte() != omitted) (void)in.unsigned_leb();
  const unsigned sites = in.byte();
  const std::uintptr_t size = in.unsigned_leb();
  const std::uint8_t* const end = in.at() + size;
  while (in.at() < end) {
    (void)in.value(sites);
    (void)in.value(sites);
    const std::uintptr_t landing_pad = in.value(sites);
    (void)in.unsigned_leb();
    if (landing_pad == 0) return true;
  }
  return false;
}

/// Part of a function, as its entry in .eh_frame describes it.
struct part {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  const std::uint8_t* data = nullptr;  // language-specific; null if it has none
  bool is_split_off = false;           // it is entered in the middle of its function, by jumps
  [[nodiscard]] bool has(std::uintptr_t address) const noexcept { return address >= begin && address < end; }
};

/// Whether the frame rules of a part that begin there are of code that is jumped into, with a frame that stands: they say
/// where it is before the first instruction. Those of a whole function begin with its first instruction, or are none.
bool begin_with_a_frame(const std::uint8_t* rules, const std::uint8_t* end) noexcept {
  constexpr unsigned advance = 0x40;  // to 0x7f, with the distance
  constexpr unsigned advance_far = 0x02;
  constexpr unsigned advance_farthest = 0x04;
  if (rules >= end || *rules == 0) return false;
  return (*rules & 0xc0U) != advance && (*rules < advance_far || *rules > advance_farthest);
}

/// What an entry of .eh_frame says (Linux Standard Base, "Exception Frames").
part described_by(const std::uint8_t* entry) noexcept {
  std::uint32_t size = 0;
  std::memcpy(&size, entry, sizeof size);
  std::int32_t to_common = 0;
  std::memcpy(&to_common, entry + 4, sizeof to_common);
  const std::uint8_t* const common = entry + 4 - to_common;
  reader in(common + 8);
  const unsigned version = in.byte();
  const auto* const augmentation = reinterpret_cast<const char*>(in.at());
  if (*augmentation != 'z') return {};
  in = reader(in.at() + std::strlen(augmentation) + 1);
  (void)in.unsigned_leb();
  (void)in.signed_leb();
  if (version == 1)
    (void)in.byte();
  else
    (void)in.unsigned_leb();
  (void)in.unsigned_leb();
  unsigned data = omitted;
  unsigned addresses = absolute;
  for (const char* at = augmentation + 1; *at != '\0'; ++at) {
    if (*at == 'L') data = in.byte();
    if (*at == 'R') addresses = in.byte();
    if (*at == 'P') {
      const unsigned how = in.byte();
      (void)in.value(how);
    }
  }
  in = reader(entry + 8);
  part described;
  described.begin = in.pointer(addresses);
  described.end = described.begin + in.value(addresses & format);
  const std::uintptr_t augmentation_bytes = in.unsigned_leb();
  described.is_split_off = begin_with_a_frame(in.at() + augmentation_bytes, entry + 4 + size);
  if (data != omitted)
    described.data = reinterpret_cast<const std::uint8_t*>(in.pointer(data));  // NOLINT(performance-no-int-to-ptr)
  return described;
}

/// The part that an address is in; empty if it is in none.
part part_at(std::uintptr_t address) noexcept {
  dwarf_eh_bases bases{};
  const void* const entry = _Unwind_Find_FDE(reinterpret_cast<void*>(address), &bases);  // NOLINT
  return entry == nullptr ? part{} : described_by(static_cast<const std::uint8_t*>(entry));
}

/// Whether the code from `at` to the end of its part jumps to another part that has an open call: GCC moves the end of
/// landing pads to a part of their own, which is seldom needed. What looks like such a jump, to such a part, counts: the
/// bytes are not decoded, and a distance in an instruction may look like a jump to anywhere.
bool leads_to_open_call(const part& in, std::uintptr_t at) {
#ifdef __x86_64__
  constexpr std::uint8_t jump = 0xe9;
  constexpr std::uint8_t two_bytes = 0x0f;
  constexpr std::uint8_t jumps_if = 0x80;  // to 0x8f, with the condition
  for (; at + 5 <= in.end; ++at) {
    const auto* const code = reinterpret_cast<const std::uint8_t*>(at);  // NOLINT(performance-no-int-to-ptr)
    if (code[0] != jump && !(code[-1] == two_bytes && (code[0] & 0xf0U) == jumps_if)) continue;
    const std::uintptr_t target = at + 5 + reader(code + 1).value(sdata4);
    if (in.has(target)) continue;
    const part other = part_at(target);
    if (other.is_split_off && other.data != nullptr && has_open_call(other.data)) return true;
  }
  return false;
#else
  (void)in;
  (void)at;
  return true;
#endif
}

/// Whether what a landing pad has no handler for goes on to the caller. True where nobody can tell.
bool lets_out(std::uintptr_t landing_pad) {
  const part in = part_at(landing_pad);
  if (in.data == nullptr) return in.end == 0;
  return has_open_call(in.data) || leads_to_open_call(in, landing_pad);
}

fate fate_in(const search& of, const std::uint8_t* data, std::uintptr_t function, std::uintptr_t call) {
  reader in(data);
  std::uintptr_t landing_pads = function;
  if (const unsigned how = in.byte(); how != omitted) landing_pads = in.pointer(how);
  const unsigned types = in.byte();
  const std::uint8_t* types_end = nullptr;
  if (types != omitted) {
    const std::uintptr_t offset = in.unsigned_leb();
    types_end = in.at() + offset;
  }
  const unsigned sites = in.byte();
  const std::uintptr_t size = in.unsigned_leb();
  const std::uint8_t* const actions = in.at() + size;
  while (in.at() < actions) {
    const std::uintptr_t begin = in.value(sites);
    const std::uintptr_t length = in.value(sites);
    const std::uintptr_t landing_pad = in.value(sites);
    const std::uintptr_t action = in.unsigned_leb();
    if (call < begin) break;  // they are sorted
    if (call - begin >= length) continue;
    if (landing_pad == 0) return fate::goes_on;
    if (action != 0 && fate_of_actions(of, actions + action - 1, types_end, types) == fate::is_caught)
      return fate::is_caught;
    return lets_out(landing_pads + landing_pad) ? fate::goes_on : fate::ends_process;
  }
  return fate::ends_process;
}

/// True when the fate is known.
bool look_at_last(search& of, std::uintptr_t frame_end) {
  if (of.last.data == nullptr) return false;
  const fate here = fate_in(of, of.last.data, of.last.function, of.last.offset);
  if (here == fate::goes_on || (here == fate::is_caught && frame_end <= of.owner)) return false;
  of.found = here;
  return true;
}

_Unwind_Reason_Code look_at_frame(_Unwind_Context* frame, void* with) {
  auto& of = *static_cast<search*>(with);
  if (look_at_last(of, _Unwind_GetCFA(frame))) {
    of.last.data = nullptr;
    return _URC_END_OF_STACK;
  }
  const void* const data = reinterpret_cast<const void*>(_Unwind_GetLanguageSpecificData(frame));  // NOLINT
  int is_exact = 0;
  std::uintptr_t address = _Unwind_GetIPInfo(frame, &is_exact);
  if (is_exact == 0) --address;  // it is where the call returns to
  const std::uintptr_t function = _Unwind_GetRegionStart(frame);
  of.last = {static_cast<const std::uint8_t*>(data), function, address - function};
  return _URC_NO_REASON;
}

}  // namespace

bool would_end_process(const std::exception_ptr& thrown, const void* owner) {
  search of{thrown.__cxa_exception_type(), nullptr, reinterpret_cast<std::uintptr_t>(owner)};
  static_assert(sizeof thrown == sizeof of.object);
  std::memcpy(&of.object, &thrown, sizeof of.object);  // it is the object's address
  _Unwind_Backtrace(&look_at_frame, &of);
  (void)look_at_last(of, std::numeric_limits<std::uintptr_t>::max());
  return of.found == fate::ends_process;
}

bool look_from(greenlet& suspended, void (*look)(void*), void* with) {
  using greenlets::detail::switching;
  switching::check_owner(suspended);
  // What `with` points to may lie on the caller's stack, which is not in its place meanwhile if it is sliced.
  if (!switching::can_inspect(suspended) || greenlet::current().sliced()) return false;
  greenlets::detail::inspection asked;
  asked.look = look;
  asked.with = with;
  switching::inspect(greenlets::detail::enter_thread(), suspended, asked);
  return true;
}

}  // namespace grove
