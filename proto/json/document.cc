// SPDX-License-Identifier: Apache-2.0
#include "proto/json/document.h"

// nlohmann's parser judges what is JSON: it holds no value of its own here, needs no stack, and says what it expected.
// Its events carry no places. They need not: a token begins behind the one before it, blanks, ',' and ':' left aside.
//
// It makes a double of every number and refuses what is none, such as 1e400, which is JSON all the same. Such a text is
// read again with other numbers in these places, of the same length; the nodes keep what was written.

#include <limits>
#include <nlohmann/json.hpp>

#include "proto/json/internal/number_text.h"

namespace grove {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view number_letters = "+-.0123456789eE";
constexpr int number_overflow = 406;  ///< The parser's number of that complaint.

/// What the parser complains of, without its own names and without the text that it quotes, which has no bound:
/// "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error while parsing value - REASON; last
/// read: '...'; expected ']'".
[[nodiscard]] std::string reason_of(std::string_view complaint) {
  const auto after = [&complaint](std::string_view mark) {
    if (const auto at = complaint.find(mark); at != std::string_view::npos) complaint.remove_prefix(at + mark.size());
  };
  const auto quoted = complaint.find("; last read: '");
  std::string_view expected;
  if (quoted != std::string_view::npos) {
    if (const auto tail = complaint.rfind("'; expected "); tail != std::string_view::npos) {
      expected = complaint.substr(tail + 1);
    }
    complaint = complaint.substr(0, quoted);
  }
  after("] ");
  after(" - ");
  return std::string{complaint}.append(expected);
}

[[nodiscard]] status no_json(std::string_view source, std::size_t offset, std::string_view why) {
  std::string text = "this is not JSON: " + to_string(place_in(source, offset)) + ": ";
  return {status_code::invalid_argument, text.append(why)};
}

/// The text with 1e000 and the like in the place of each number that is beyond all doubles.
[[nodiscard]] std::string with_small_numbers(std::string_view source) {
  std::string text{source};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\' ? 1 : 0;
      continue;
    }
    if (number_letters.find(text[at]) == std::string_view::npos) continue;
    const std::size_t end = std::min(source.find_first_not_of(number_letters, at), source.size());
    double number = 0;
    if (json_internal::number_from(source.substr(at, end - at), number) == json_internal::number_fault::out_of_range) {
      if (text[at] == '-') ++at;
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), '0');
      text[at] = '1';
      text[at + 1] = 'e';
    }
    at = end - 1;
  }
  return text;
}

}  // namespace

text_place place_in(std::string_view text, std::size_t offset) noexcept {
  text_place place;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) {  // Not the rest of a character.
      ++place.column;
    }
  }
  return place;
}

std::string to_string(const text_place& place) {
  return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
}

/// Makes nodes of the parser's events.
class json_document::builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  builder(json_document& into, std::uint32_t depth_max, std::string_view depth_reason)
      : into_{into}, depth_max_{depth_max}, depth_reason_{depth_reason} {
    if (into_.source_.starts_with(byte_order_mark)) behind_ = byte_order_mark.size();
  }

  [[nodiscard]] const status& error() const noexcept { return error_; }
  [[nodiscard]] bool met_overflow() const noexcept { return met_overflow_; }

  bool null() override { return literal(kind::null, 4); }
  bool boolean(bool value) override {
    (void)literal(kind::boolean, value ? 4 : 5);
    into_.nodes_.back().is_true = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return number(); }
  bool number_unsigned(number_unsigned_t) override { return number(); }
  bool number_float(number_float_t, const string_t&) override { return number(); }
  bool string(string_t& value) override { return quoted(kind::string, value); }
  bool key(string_t& value) override { return quoted(kind::key, value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(kind::object); }
  bool start_array(std::size_t) override { return open(kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const std::size_t offset = position == 0 ? 0 : std::min(position - 1, into_.source_.size());
    met_overflow_ = error.id == number_overflow;
    // Of a number that is none as a whole, such as 1e400-1: the others are not met a second time.
    error_ = no_json(into_.source_, offset, met_overflow_ ? "invalid number" : reason_of(error.what()));
    return false;
  }

 private:
  /// Where the next token begins.
  [[nodiscard]] std::size_t token() const noexcept {
    return std::min(into_.source_.find_first_not_of(" \t\r\n,:", behind_), into_.source_.size());
  }
  node& add(kind what, std::size_t offset) {
    node& made = into_.nodes_.emplace_back();
    made.what = what;
    made.offset = static_cast<std::uint32_t>(offset);
    made.end = static_cast<std::uint32_t>(into_.nodes_.size());
    return made;
  }
  void keep(node& of, std::string_view text) {
    of.text_begin = static_cast<std::uint32_t>(into_.texts_.size());
    of.text_size = static_cast<std::uint32_t>(text.size());
    into_.texts_.append(text);
  }
  bool literal(kind what, std::size_t size) {
    const std::size_t begin = token();
    (void)add(what, begin);
    behind_ = begin + size;
    return true;
  }
  bool number() {
    const std::size_t begin = token();
    behind_ = std::min(into_.source_.find_first_not_of(number_letters, begin), into_.source_.size());
    keep(add(kind::number, begin), into_.source_.substr(begin, behind_ - begin));
    return true;
  }
  bool quoted(kind what, std::string_view value) {
    const std::size_t begin = token();
    behind_ = begin + 1;
    while (into_.source_[behind_] != '"')
      behind_ += into_.source_[behind_] == '\\' ? 2 : 1;
    ++behind_;
    keep(add(what, begin), value);
    return true;
  }
  bool open(kind what) {
    const std::size_t begin = token();
    if (open_.size() == depth_max_) {
      std::string text = to_string(place_in(into_.source_, begin)) + ": objects and lists nested deeper than ";
      text.append(std::to_string(depth_max_)).append(" levels").append(depth_reason_);
      error_ = {status_code::invalid_argument, text};
      return false;
    }
    open_.push_back(static_cast<std::uint32_t>(into_.nodes_.size()));
    (void)add(what, begin);
    behind_ = begin + 1;
    return true;
  }
  bool close() {
    behind_ = token() + 1;
    into_.nodes_[open_.back()].end = static_cast<std::uint32_t>(into_.nodes_.size());
    open_.pop_back();
    return true;
  }

  json_document& into_;
  std::uint32_t depth_max_;
  std::string_view depth_reason_;
  bool met_overflow_ = false;
  std::vector<std::uint32_t> open_;
  std::size_t behind_ = 0;  ///< The end of the last token.
  status error_;
};

status json_document::parse(std::string_view source, std::uint32_t depth_max, std::string_view depth_reason) {
  source_ = source;
  if (source.size() > std::numeric_limits<std::int32_t>::max()) {
    return {status_code::invalid_argument, "the JSON is larger than 2 GiB"};
  }
  if (source.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return {status_code::invalid_argument, "this is not JSON: it is empty"};
  }
  // The parser takes it for the end, whatever follows.
  if (const auto zero = source.find('\0'); zero != std::string_view::npos) {
    return no_json(source, zero, "a byte of value 0");
  }
  bool met_overflow = false;
  status read = take_apart(source, depth_max, depth_reason, met_overflow);
  if (met_overflow) read = take_apart(with_small_numbers(source), depth_max, depth_reason, met_overflow);
  return read;
}

status json_document::take_apart(std::string_view text, std::uint32_t depth_max, std::string_view depth_reason,
                                 bool& met_overflow) {
  texts_.clear();
  nodes_.clear();
  builder events{*this, depth_max, depth_reason};
  const bool whole = nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &events);
  met_overflow = events.met_overflow();
  return whole ? status{} : events.error();
}

}  // namespace grove
