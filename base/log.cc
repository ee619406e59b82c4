// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace grove {
namespace {

std::unique_ptr<spdlog::formatter> make_formatter() {
  return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%-8l%$ %n: %v",
                                                     spdlog::pattern_time_type::utc);
}

/// By level, from trace on; the conventions are spdlog's.
constexpr std::array<std::string_view, spdlog::level::n_levels> colours = {
    "\033[37m", "\033[36m", "\033[32m", "\033[33m\033[1m", "\033[31m\033[1m", "\033[1m\033[41m", ""};
constexpr std::string_view colour_off = "\033[m";

bool wants_colours(int fd) {
  const char* const kind = std::getenv("TERM");
  const char* const no_colour = std::getenv("NO_COLOR");
  return ::isatty(fd) == 1 && kind != nullptr && std::string_view{kind} != "dumb" &&
         (no_colour == nullptr || *no_colour == '\0');
}

std::string_view view(const spdlog::memory_buf_t& text) {
  return {text.data(), text.size()};
}

class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  line_sink(std::shared_ptr<line_writer> lines, bool coloured)
      : base_sink{make_formatter()}, lines_{std::move(lines)}, coloured_{coloured} {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    std::string_view line = view(text);
    std::string painted;
    if (coloured_ && message.color_range_end > message.color_range_start) {
      painted = fmt::format("{}{}{}{}{}", line.substr(0, message.color_range_start),
                            colours.at(static_cast<std::size_t>(message.level)),
                            line.substr(message.color_range_start, message.color_range_end - message.color_range_start),
                            colour_off, line.substr(message.color_range_end));
      line = painted;
    }
    lines_->write(line);
  }
  void flush_() override {}  // Nothing is held back here.

  std::shared_ptr<line_writer> lines_;
  bool coloured_;
};

std::string gap_text(const log_gap& gap) {
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - gap.since;
  return fmt::format("{} {} dropped here, over {:.1f} s: {}", gap.lines, gap.lines == 1 ? "line was" : "lines were",
                     lasted.count(),
                     gap.error == 0 ? std::string{"whoever reads this log did not keep up"}
                                    : fmt::format("the log could not be written ({})", ::strerror(gap.error)));
}

}  // namespace

process_log make_log(std::string_view who, std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string{level});
  if (parsed == spdlog::level::off && level != "off") {
    throw std::invalid_argument{"log level '" + std::string{level} +
                                "' does not exist; use trace, debug, info, warning, error, critical or off"};
  }
  const std::shared_ptr<spdlog::formatter> formatter = make_formatter();
  const std::string name{who};
  process_log made;
  made.lines = std::make_shared<line_writer>(STDERR_FILENO, [formatter, name](const log_gap& gap) {
    const std::string text = gap_text(gap);
    spdlog::memory_buf_t line;
    formatter->format(spdlog::details::log_msg{name, spdlog::level::warn, text}, line);
    return std::string{view(line)};
  });
  made.logger =
      std::make_shared<spdlog::logger>(name, std::make_shared<line_sink>(made.lines, wants_colours(STDERR_FILENO)));
  made.logger->set_level(parsed);
  return made;
}

}  // namespace grove
