// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/fatal.h"
#include "client/internal/client_core.h"

namespace grove {
namespace {

/// A value that one thread waits for and another gives.
template <class T>
class handed_over {
 public:
  void give(T value) {
    const std::lock_guard lock{mutex_};
    value_.emplace(std::move(value));
    // Within the lock: the waiter may destroy this as soon as it has the value.
    given_.notify_one();
  }
  [[nodiscard]] T take() {
    std::unique_lock lock{mutex_};
    given_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<T> value_;
};

void write_error(const char* where, const std::exception_ptr& error) noexcept {
  std::fprintf(stderr, "error in %s: %s\n", where, detail::text_of(error).c_str());
}

}  // namespace

/// A loop, and the thread that runs it.
class client::own_loop {
 public:
  explicit own_loop(std::function<void(const std::exception_ptr&)> on_handler_error)
      : on_handler_error_{std::move(on_handler_error)}, thread_{[this] { run(); }} {}
  ~own_loop() {
    work_.reset();
    thread_.join();
  }
  own_loop(const own_loop&) = delete;
  own_loop& operator=(const own_loop&) = delete;

  asio::io_context io{1};

 private:
  void run() noexcept {
    for (;;) {
      try {
        io.run();
        return;
      } catch (...) {
        report(caught_error());
      }
    }
  }
  void report(const std::exception_ptr& error) const noexcept {
    try {
      if (on_handler_error_) return on_handler_error_(error);
    } catch (...) {
      write_error("on_handler_error of a client", caught_error());
    }
    write_error("a handler of a client", error);
  }

  std::function<void(const std::exception_ptr&)> on_handler_error_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io.get_executor()};
  std::thread thread_;
};

/// Waits on the stack of its caller, whose memory it shows.
class client::blocking_operation final : public detail::operation {
 public:
  blocking_operation(std::shared_ptr<detail::client_core> core, const std::function<bool(std::string_view)>* on_item)
      : core_{std::move(core)}, on_item_{on_item} {}

  /// Errors: what `on_item` threw.
  [[nodiscard]] call_result take() {
    call_result result = result_.take();
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return result;
  }

 private:
  void item(std::string_view bytes) override {
    if (on_item_ != nullptr && !(*on_item_)(bytes)) core_->cancel(*this);
  }
  void item_threw(const std::exception_ptr& error) noexcept override { thrown_ = error; }
  void finish(call_result&& result, bool) override { result_.give(std::move(result)); }

  std::exception_ptr thrown_;  // Before `result_` is given.
  std::shared_ptr<detail::client_core> core_;
  const std::function<bool(std::string_view)>* on_item_;
  handed_over<call_result> result_;
};

client::client(client_options options)
    : own_{std::make_unique<own_loop>(options.on_handler_error)},
      core_{std::make_shared<detail::client_core>(own_->io, std::move(options))} {}

client::client(asio::io_context& io, client_options options)
    : core_{std::make_shared<detail::client_core>(io, std::move(options))} {}

client::~client() {
  if (!own_) {
    core_->close();
    return;
  }
  // The core goes in its loop's thread, where its sockets and timers live.
  asio::post(own_->io, [core = std::move(core_)] { core->close(); });
}

status client::connect() {
  GROVE_CHECK(!in_loop(), "a blocking function of a client, called in its own loop");
  handed_over<status> reached;
  asio::post(loop(),
             [this, &reached] { core_->way().when_reached([&reached](const status& what) { reached.give(what); }); });
  return reached.take();
}

std::optional<server_info> client::info() {
  if (in_loop()) return core_->way().info();
  handed_over<std::optional<server_info>> found;
  asio::post(loop(), [this, &found] { found.give(core_->way().info()); });
  return found.take();
}

call_result client::call(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
                         const call_options& options) {
  return wait_for(kind::call, type, key, method, payload, nullptr, options);
}

call_result client::tell(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
                         const call_options& options) {
  return wait_for(kind::tell, type, key, method, payload, nullptr, options);
}

call_result client::watch(std::string_view type, std::string_view key, std::string_view method,
                          std::string_view payload, const std::function<bool(std::string_view)>& on_item,
                          const call_options& options) {
  return wait_for(kind::watch, type, key, method, payload, &on_item, options);
}

call_result client::wait_for(kind what, std::string_view type, std::string_view key, std::string_view method,
                             std::string_view payload, const std::function<bool(std::string_view)>* on_item,
                             const call_options& options) {
  GROVE_CHECK(!in_loop(), "a blocking function of a client, called in its own loop");
  blocking_operation op{core_, on_item};
  op.type = type;
  op.key = key;
  op.method = method;
  op.payload = payload;
  op.idempotency_key = options.idempotency_key;
  std::string metadata;
  detail::append_encoded(options.metadata, metadata);
  op.metadata = metadata;
  prepare(op, what, options.timeout, options.retry);
  submit_soon(op);
  return op.take();
}

asio::io_context& client::loop() noexcept {
  return core_->loop();
}

bool client::in_loop() noexcept {
  return loop().get_executor().running_in_this_thread();
}

void client::prepare(detail::operation& op, kind what, std::chrono::microseconds timeout, bool retry) const noexcept {
  op.one_way = what == kind::tell;
  op.streams = what == kind::watch;
  op.retry = retry;
  op.timeout = what == kind::watch && timeout.count() == 0
                   ? detail::unlimited
                   : std::min(timeout, detail::unlimited - std::chrono::microseconds{1});
}

void client::submit_now(detail::operation& op) {
  core_->submit(op);
}

void client::submit_soon(detail::operation& op) {
  asio::post(loop(), [core = core_, &op] { core->submit(op); });
}

void client::cancel_in_loop(const std::shared_ptr<detail::client_core>& core,
                            const std::shared_ptr<detail::cancel_anchor>& anchor) {
  asio::dispatch(core->loop(), [core, anchor] {
    if (anchor->target != nullptr) core->cancel(*anchor->target);
  });
}

}  // namespace grove
