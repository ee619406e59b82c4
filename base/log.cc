// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <stdexcept>

namespace grove {

std::shared_ptr<spdlog::logger> make_logger(std::string_view who, std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string{level});
  if (parsed == spdlog::level::off && level != "off") {
    throw std::invalid_argument{"log level '" + std::string{level} +
                                "' does not exist; use trace, debug, info, warning, error, critical or off"};
  }
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>(std::string{who}, std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-8l%$ %n: %v", spdlog::pattern_time_type::utc);
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace grove
