// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts that others wrote: keys and names of requests, messages of errors, what a file or a variable says.
//
// Problem: such a text goes into protobuf strings, which must be UTF-8 or the whole message is lost to its reader, and
// into logs, pages, tables and terminals, where a line break forges a line and an escape sequence changes the terminal.
//
// Invariants:
// - what is a character is decided here alone, as RFC 3629 has it: no overlong forms, no surrogates, at most U+10FFFF;
// - whatever the bytes, `utf8_text` and `printable` make UTF-8 of them; no cut is inside a character.

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace grove {

/// A character and how many bytes it has; 0 when the bytes at its place begin none.
struct text_character {
  char32_t code = 0;
  std::size_t size = 0;
};

/// The first character of a text that is not empty.
/// Affinity: async-signal-safe.
[[nodiscard]] text_character first_character(std::string_view text) noexcept;

/// Whether a character has a shape of its own and leaves what is beside it as it is.
/// Affinity: async-signal-safe.
[[nodiscard]] bool is_printable(char32_t code) noexcept;

/// Whether the bytes are UTF-8 from the first to the last.
/// Affinity: async-signal-safe.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

/// The text without the character that its end has cut, if it has. For what was cut already, byte by byte.
/// Affinity: async-signal-safe. Lifetime: a view of `text`.
[[nodiscard]] std::string_view whole_characters(std::string_view text) noexcept;

/// The longest beginning with at most `bytes_max` bytes that does not end inside a character.
/// Affinity: async-signal-safe. Lifetime: a view of `text`.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept;

/// The text with U+FFFD for each byte that belongs to no character: for a protobuf string, whose reader decides how it
/// is shown.
[[nodiscard]] std::string utf8_text(std::string_view bytes);

/// What an error says of a text that should be UTF-8: "the key is no UTF-8: 'gr\\xfc'".
[[nodiscard]] std::string no_utf8_text(std::string_view what, std::string_view bytes);

/// The bytes as one line that is safe to show anywhere. Printable characters of all scripts stay as they are; what is
/// none is written as in a C++ literal: "\n", "\t", "\x1b", "\u{202e}" (a character that turns the direction of what
/// follows), and "\xff" for a byte that belongs to no character. Of a text that needs more than `bytes_max` bytes the
/// beginning is left, and "...", for which `bytes_max` has room.
[[nodiscard]] std::string printable(std::string_view bytes,
                                    std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

/// The same into memory of the caller's, without the "..."; returns how many of the `size` bytes at `into` it took.
/// Affinity: async-signal-safe.
[[nodiscard]] std::size_t write_printable(std::string_view bytes, char* into, std::size_t size) noexcept;

}  // namespace grove
