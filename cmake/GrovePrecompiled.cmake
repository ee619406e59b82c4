# SPDX-License-Identifier: Apache-2.0
# The headers that most files include, parsed once and not in every file. Only where GROVE_PRECOMPILE is on, as in the
# release preset and under the sanitizers: in the dev preset each file has to include what it uses, and linters see the
# commands of plain files.
# CLI11 is not among them: it has objects at namespace scope, which every file would be compiled with.
if(NOT GROVE_PRECOMPILE)
  return()
endif()

file(WRITE "${PROJECT_BINARY_DIR}/precompiled/precompiled.cc" "")
add_library(grove_precompiled OBJECT "${PROJECT_BINARY_DIR}/precompiled/precompiled.cc")
target_link_libraries(grove_precompiled PRIVATE grove_flags grove::asio fmt::fmt protobuf::libprotobuf spdlog::spdlog)
target_precompile_headers(
  grove_precompiled
  PRIVATE
  <algorithm>
  <array>
  <atomic>
  <charconv>
  <chrono>
  <condition_variable>
  <deque>
  <functional>
  <map>
  <memory>
  <mutex>
  <optional>
  <ostream>
  <set>
  <span>
  <stdexcept>
  <string>
  <string_view>
  <system_error>
  <thread>
  <tuple>
  <unordered_map>
  <utility>
  <variant>
  <vector>
  <asio/io_context.hpp>
  <asio/ip/tcp.hpp>
  <asio/local/stream_protocol.hpp>
  <asio/posix/stream_descriptor.hpp>
  <asio/post.hpp>
  <asio/signal_set.hpp>
  <asio/steady_timer.hpp>
  <asio/write.hpp>
  <fmt/format.h>
  <google/protobuf/descriptor.h>
  <google/protobuf/message.h>
  <spdlog/logger.h>)
