// SPDX-License-Identifier: Apache-2.0
#include "client/cli/output.h"

#include <cerrno>
#include <ostream>

#include "base/text.h"
#include "base/write_all.h"
#include "client/cli/pretty_json.h"

namespace grove::cli {

int descriptor_output::overflow(int byte) {
  if (sync() != 0) return traits_type::eof();
  if (!traits_type::eq_int_type(byte, traits_type::eof())) sputc(traits_type::to_char_type(byte));
  return traits_type::not_eof(byte);
}

int descriptor_output::sync() {
  if (trouble_ == 0) trouble_ = write_all(fd_, {pbase(), static_cast<std::size_t>(pptr() - pbase())});
  setp(bytes_.data(), bytes_.data() + bytes_.size());
  errno = trouble_;
  return trouble_ == 0 ? 0 : -1;
}

int flush_and_look(std::ostream& out) {
  errno = 0;
  // The stream itself does not flush any more once something was wrong.
  if (out.rdbuf()->pubsync() == 0 && out.good()) return 0;
  return errno != 0 ? errno : EIO;
}

void print_error(std::ostream& err, std::string_view what, std::span<const std::string> advice) {
  err << "grove: " << printable(what) << '\n';
  for (const std::string& line : advice)
    err << printable(line) << '\n';
  err.flush();
}

void print_json(const std::string& json, const common_options& options, const environment& where) {
  where.out << (where.out_is_terminal && !options.compact ? indented(json) : json) << '\n';
}

}  // namespace grove::cli
