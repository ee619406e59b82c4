// SPDX-License-Identifier: Apache-2.0
#pragma once

// A JSON text taken apart, with the place of everything in it.
//
// The nodes lie in one array in the order of the text: a node, then all that it contains, and `end` is the node after
// that. An object contains its members, each a key and then its value. A number is kept as it was written.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace grove {

/// Where something is in a text, counted from one; columns are characters.
struct text_place {
  std::size_t line = 1;
  std::size_t column = 1;
};
[[nodiscard]] text_place place_in(std::string_view text, std::size_t offset) noexcept;
/// "line 1, column 9".
[[nodiscard]] std::string to_string(const text_place& place);

class json_document {
 public:
  enum class kind : std::uint8_t { null, boolean, number, string, key, array, object };
  struct node {
    kind what = kind::null;
    bool is_true = false;
    std::uint32_t end = 0;
    std::uint32_t offset = 0;      ///< Where it begins in the source.
    std::uint32_t text_begin = 0;  ///< Of a string, a key or a number.
    std::uint32_t text_size = 0;
  };

  /// Reads a text. At most `depth_max` objects and lists may lie in each other; no stack is used for them.
  /// Errors: INVALID_ARGUMENT with the place and the reason; `depth_reason` is what that of a text which is too deep ends
  /// with.
  /// Lifetime: borrows `source`.
  [[nodiscard]] status parse(std::string_view source, std::uint32_t depth_max, std::string_view depth_reason = {});

  /// The outermost value is node 0.
  [[nodiscard]] const node& operator[](std::uint32_t at) const noexcept { return nodes_[at]; }
  [[nodiscard]] std::string_view text(std::uint32_t at) const noexcept {
    return std::string_view{texts_}.substr(nodes_[at].text_begin, nodes_[at].text_size);
  }
  [[nodiscard]] std::string_view source() const noexcept { return source_; }

 private:
  class builder;

  /// `text` is the source, but for numbers.
  [[nodiscard]] status take_apart(std::string_view text, std::uint32_t depth_max, std::string_view depth_reason,
                                  bool& met_overflow);

  std::string_view source_;
  std::string texts_;
  std::vector<node> nodes_;
};

}  // namespace grove
