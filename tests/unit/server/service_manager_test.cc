// SPDX-License-Identifier: Apache-2.0
#include "server/service_manager.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "tests/unit/server/manager_socket.h"

namespace grove::server {
namespace {

using namespace std::chrono_literals;

TEST(service_manager, is_told_once_that_the_server_is_ready) {
  const manager_socket socket;
  service_manager manager{socket.address(), std::nullopt};
  manager.ready();
  manager.ready();
  EXPECT_EQ(socket.told(), "READY=1\n");
}

TEST(service_manager, is_told_of_a_status_that_has_changed) {
  const manager_socket socket;
  service_manager manager{socket.address(), std::nullopt};
  manager.status("1 of 2 workers up");
  manager.status("1 of 2 workers up");
  manager.status("2 of 2 workers up");
  EXPECT_EQ(socket.told(), "STATUS=1 of 2 workers up\nSTATUS=2 of 2 workers up\n");
}

TEST(service_manager, is_told_how_long_a_stop_may_take) {
  const manager_socket socket;
  service_manager manager{socket.address(), std::nullopt};
  manager.stopping(65s);
  manager.stopping(1s);
  EXPECT_EQ(socket.told(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=65000000\n");
}

TEST(service_manager, hears_twice_in_each_period_of_its_watchdog) {
  const manager_socket socket;
  service_manager manager{socket.address(), 10s};
  const steady_time start{};
  for (int tenths = 0; tenths <= 100; ++tenths)
    manager.alive(start + tenths * 100ms);
  EXPECT_EQ(socket.told(), "WATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1\n");
}

TEST(service_manager, without_a_watchdog_hears_nothing_of_it) {
  const manager_socket socket;
  service_manager manager{socket.address(), std::nullopt};
  manager.alive(steady_time{});
  EXPECT_EQ(socket.told(), "");
}

TEST(service_manager, that_is_not_there_or_has_gone_does_no_harm) {
  for (const std::string& address : {std::string{}, std::string{"@"}, std::string{"relative/path"},
                                     std::string{"/nonexistent/notify"}, "/" + std::string(200, 'x')}) {
    service_manager manager{address, 1s};
    manager.ready();
    manager.status("all is well");
    manager.alive(steady_time{});
    manager.stopping(1s);
  }
  auto socket = std::make_unique<manager_socket>();
  service_manager manager{socket->address(), 1s};
  socket.reset();
  manager.ready();
}

TEST(service_manager, is_taken_out_of_the_environment) {
  const manager_socket socket;
  ::setenv("NOTIFY_SOCKET", socket.address().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  auto manager = service_manager::from_environment();
  manager.alive(steady_time{});
  EXPECT_EQ(socket.told(), "WATCHDOG=1\n");
  for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(std::getenv(name), nullptr) << name;
}

TEST(service_manager, has_no_watchdog_that_is_for_another_process_or_has_no_time) {
  const manager_socket socket;
  for (const auto& [time, pid] : {std::pair{"2000000", "1"}, {"0", ""}, {"soon", ""}, {"-5", ""}}) {
    ::setenv("NOTIFY_SOCKET", socket.address().c_str(), 1);
    ::setenv("WATCHDOG_USEC", time, 1);
    ::setenv("WATCHDOG_PID", pid, 1);
    auto manager = service_manager::from_environment();
    manager.alive(steady_time{});
    EXPECT_EQ(socket.told(), "") << time << " for " << pid;
  }
}

}  // namespace
}  // namespace grove::server
