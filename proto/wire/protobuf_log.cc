// SPDX-License-Identifier: Apache-2.0
#include "proto/wire/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <string>
#include <utility>

namespace grove {
namespace {

// What protobuf calls is a plain function, which finds only these.
protobuf_log::listener current;
google::protobuf::LogHandler* before = nullptr;

void pass_on(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  if (level != google::protobuf::LOGLEVEL_INFO) current(level != google::protobuf::LOGLEVEL_WARNING, text);
}

}  // namespace

protobuf_log::protobuf_log(listener say) {
  current = std::move(say);
  before = google::protobuf::SetLogHandler(pass_on);
}

protobuf_log::~protobuf_log() {
  google::protobuf::SetLogHandler(before);
}

}  // namespace grove
