// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace grove {
namespace {

/// What the first byte says: the size of the character, and the least that one of this size stands for.
struct lead {
  std::size_t size;
  char32_t bits;
  char32_t least;
};

lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xc2 && byte < 0xe0) return {2, byte & 0x1fU, 0x80};
  if (byte >= 0xe0 && byte < 0xf0) return {3, byte & 0x0fU, 0x800};
  if (byte >= 0xf0 && byte < 0xf5) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

struct code_range {
  char32_t first;
  char32_t last;
};

// What has no shape of its own, or changes how what is beside it is shown. In the order of the codes.
constexpr std::array<code_range, 14> unprintable = {{
    {0x00, 0x1f},        // Controls.
    {0x7f, 0x9f},        // Delete, and the controls that some terminals take for escape sequences.
    {0xad, 0xad},        // A hyphen that is seen only where a line is broken.
    {0x61c, 0x61c},      // Marks of direction: this one and the next three ranges but for the separators.
    {0x200b, 0x200b},    // A space without a width. The two joiners behind it are parts of words and of emoji.
    {0x200e, 0x200f},    //
    {0x2028, 0x202e},    // Separators of lines and paragraphs; embedding and override of direction.
    {0x2060, 0x206f},    // Invisible operators; isolation of direction.
    {0xfeff, 0xfeff},    // The byte order mark.
    {0xfff9, 0xfffb},    // Annotation.
    {0xfffe, 0xffff},    // No characters.
    {0x1bca0, 0x1bca3},  // Controls of shorthand.
    {0x1d173, 0x1d17a},  // Controls of music.
    {0xe0000, 0xe007f},  // Tags.
}};

}  // namespace

text_character first_character(std::string_view text) noexcept {
  const lead begin = lead_of(static_cast<unsigned char>(text[0]));
  if (begin.size == 0 || begin.size > text.size()) return {};
  char32_t code = begin.bits;
  for (std::size_t i = 1; i < begin.size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) != 0x80) return {};
    code = code << 6U | (byte & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < begin.least || code > 0x10ffff || surrogate) return {};
  return {code, begin.size};
}

bool is_printable(char32_t code) noexcept {
  if (code >= 0x20 && code < 0x7f) return true;
  return std::ranges::none_of(unprintable, [code](code_range r) { return code >= r.first && code <= r.last; });
}

namespace {

/// What one place of a text is shown as: itself, or an escape sequence.
class shown_character {
 public:
  explicit shown_character(std::string_view text) noexcept {
    const text_character found = first_character(text);
    taken_ = found.size == 0 ? 1 : found.size;
    if (found.size == 0) {
      escape_byte(static_cast<unsigned char>(text[0]));
    } else if (is_printable(found.code)) {
      std::memcpy(bytes_.data(), text.data(), found.size);
      size_ = found.size;
    } else if (found.code == '\n' || found.code == '\t' || found.code == '\r') {
      put('\\');
      put(found.code == '\n' ? 'n' : found.code == '\t' ? 't' : 'r');
    } else if (found.code < 0x80) {
      escape_byte(static_cast<unsigned char>(found.code));
    } else {
      escape_code(found.code);
    }
  }

  /// How many bytes of the text it stands for.
  [[nodiscard]] std::size_t taken() const noexcept { return taken_; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  void put(char one) noexcept { bytes_[size_++] = one; }

  void put_hex(std::uint32_t value, unsigned digits) noexcept {
    for (unsigned left = digits; left > 0; --left)
      put("0123456789abcdef"[value >> (left - 1) * 4 & 0xfU]);
  }

  void escape_byte(unsigned char byte) noexcept {
    put('\\');
    put('x');
    put_hex(byte, 2);
  }

  void escape_code(char32_t code) noexcept {
    for (const char one : std::string_view{"\\u{"})
      put(one);
    put_hex(code, code > 0xffff ? 6 : 4);
    put('}');
  }

  std::array<char, 12> bytes_{};
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
};

/// How many of the first bytes are ASCII, in steps of eight.
std::size_t ascii_words(std::string_view bytes) noexcept {
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  bytes.remove_prefix(ascii_words(bytes));
  while (!bytes.empty()) {
    const std::size_t size = first_character(bytes).size;
    if (size == 0) return false;
    bytes.remove_prefix(size);
    bytes.remove_prefix(ascii_words(bytes));
  }
  return true;
}

std::string_view whole_characters(std::string_view text) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0U) == 0x80) continue;  // What it belongs to begins before it.
    return lead_of(byte).size > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  return text.size() <= bytes_max ? text : whole_characters(text.substr(0, bytes_max));
}

std::string utf8_text(std::string_view bytes) {
  std::string made;
  made.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = first_character(bytes).size;
    made.append(size == 0 ? std::string_view{"\xef\xbf\xbd"} : bytes.substr(0, size));
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return made;
}

std::string no_utf8_text(std::string_view what, std::string_view bytes) {
  constexpr std::size_t shown_max = 64;
  return std::string{what}.append(" is no UTF-8: '").append(printable(bytes, shown_max)).append("'");
}

std::string printable(std::string_view bytes, std::size_t bytes_max) {
  constexpr std::string_view more = "...";
  std::string made;
  made.reserve(std::min(bytes.size(), bytes_max));
  std::size_t end_before_more = 0;  // Where the text would be cut.
  while (!bytes.empty()) {
    const shown_character next{bytes};
    made.append(next.view());
    if (made.size() > bytes_max) return made.replace(end_before_more, std::string::npos, more);
    if (made.size() + more.size() <= bytes_max) end_before_more = made.size();
    bytes.remove_prefix(next.taken());
  }
  return made;
}

std::size_t write_printable(std::string_view bytes, char* into, std::size_t size) noexcept {
  std::size_t written = 0;
  while (!bytes.empty()) {
    const shown_character next{bytes};
    if (next.view().size() > size - written) break;
    std::memcpy(into + written, next.view().data(), next.view().size());
    written += next.view().size();
    bytes.remove_prefix(next.taken());
  }
  return written;
}

}  // namespace grove
