// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "grove/v1/system.pb.h"
#include "grove/v1/wire.pb.h"
#include "tests/unit/client/fake_server.h"

namespace grove::test {

/// A fake server on a thread of its own, with counters, an echo, a topic that says three things, and grove.System.
class fake_actors {
 public:
  fake_actors();
  ~fake_actors();

  [[nodiscard]] std::string address() const { return server_.address().to_string(); }
  [[nodiscard]] server_address listens_at() const { return server_.address(); }

  /// Runs `change(server)` in the server's loop and waits for it.
  template <class Change>
  void change(Change what) {
    const auto done = std::make_shared<std::promise<void>>();
    asio::post(io_, [this, &what, done] {
      what(server_);
      done->set_value();
    });
    done->get_future().wait();
  }

  /// What the last request to a counter said beside its payload, each as NAME=VALUE. After its answer only.
  [[nodiscard]] const std::vector<std::string>& metadata() const noexcept { return metadata_; }

  /// The built-in types' files, as descriptions have them.
  [[nodiscard]] const google::protobuf::FileDescriptorSet& files() const noexcept { return files_; }

  /// The sum of all counters.
  [[nodiscard]] std::int64_t sum();

 private:
  void answer(fake_server::session& from, const wire::request_view& request);
  void answer_system(fake_server::session& from, const wire::request_view& request);
  void describe(fake_server::session& from, const wire::request_view& request);

  asio::io_context io_{1};
  fake_server server_{io_};
  google::protobuf::FileDescriptorSet files_;
  std::map<std::string, std::int64_t, std::less<>> counters_;
  std::vector<std::string> metadata_;
  std::thread thread_;
};

}  // namespace grove::test
