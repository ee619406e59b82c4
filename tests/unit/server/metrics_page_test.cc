// SPDX-License-Identifier: Apache-2.0
#include "server/metrics_page.h"

#include "tests/unit/server/supervisor_fixture.h"

namespace grove::server {
namespace {

using testing::HasSubstr;

class metrics_page_test : public supervisor_fixture {};

TEST_F(metrics_page_test, shows_every_metric_of_every_worker) {
  begin_and_serve();
  segment.slot(1).metrics[metric::turns].set(42);
  segment.slot(0).metrics[metric::actors].set(7);
  const std::string page = metrics_page(segment, judge, time.now(), 3);
  EXPECT_THAT(page, HasSubstr("# TYPE grove_turns_total counter\n"));
  EXPECT_THAT(page, HasSubstr("grove_turns_total{worker=\"0\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("grove_turns_total{worker=\"1\"} 42\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE grove_actors gauge\n"));
  EXPECT_THAT(page, HasSubstr("grove_actors{worker=\"0\"} 7\n"));
  for (const metric_info& info : metric_table)
    EXPECT_THAT(page, HasSubstr("grove_" + std::string{info.name}));
}

TEST_F(metrics_page_test, shows_what_the_supervisor_knows) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  time.advance(5s);
  const std::string page = metrics_page(segment, judge, time.now(), 3);
  EXPECT_THAT(page, HasSubstr("grove_build_info{version=\"" + std::string{version} + "\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("grove_ready 1\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE grove_supervisor_log_lines_dropped_total counter\n"));
  EXPECT_THAT(page, HasSubstr("grove_supervisor_log_lines_dropped_total 3\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_up{worker=\"0\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_up{worker=\"1\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_restarts_total{worker=\"1\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_generation{worker=\"1\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_uptime_seconds{worker=\"0\"} 5\n"));
  EXPECT_THAT(page, HasSubstr("grove_worker_partitions{worker=\"1\"} 512\n"));
}

}  // namespace
}  // namespace grove::server
