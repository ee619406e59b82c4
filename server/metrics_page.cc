// SPDX-License-Identifier: Apache-2.0
#include "server/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/version.h"

namespace grove::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class page {
 public:
  explicit page(std::uint32_t workers) {
    for (std::uint32_t slot = 0; slot < workers; ++slot)
      labels_.push_back({"worker", std::to_string(slot)});
  }

  /// One number of the whole server.
  void one(std::string name, std::string help, double value, std::vector<ClientMetric::Label> labels = {},
           MetricType type = MetricType::Gauge) {
    MetricFamily& family = begin(std::move(name), std::move(help), type);
    add(family, std::move(labels), value);
  }

  /// One number a worker.
  template <typename Value>
  void each(std::string name, std::string help, MetricType type, Value value) {
    MetricFamily& family = begin(std::move(name), std::move(help), type);
    for (std::uint32_t slot = 0; slot < labels_.size(); ++slot) {
      add(family, {labels_[slot]}, static_cast<double>(value(slot)));
    }
  }

  [[nodiscard]] std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  MetricFamily& begin(std::string name, std::string help, MetricType type) {
    MetricFamily family;
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    return families_.emplace_back(std::move(family));
  }

  static void add(MetricFamily& family, std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
  }

  std::vector<ClientMetric::Label> labels_;
  std::vector<MetricFamily> families_;
};

double seconds(steady_duration value) {
  return std::chrono::duration<double>(value).count();
}

}  // namespace

std::string metrics_page(const shared_segment& segment, const supervisor& judge, steady_time now,
                         std::uint64_t own_log_lines_dropped) {
  const worker_table& workers = judge.workers();
  page out{workers.size()};
  out.one("grove_build_info", "The version of the server", 1, {{"version", std::string{version}}});
  out.one("grove_ready", "Whether the server wants traffic, as /readyz says", judge.ready().ready ? 1 : 0);
  const steady_time started{
      std::chrono::duration_cast<steady_duration>(std::chrono::nanoseconds{segment.started_at_ns()})};
  out.one("grove_uptime_seconds", "Since the server was started", seconds(now - started));
  out.one("grove_supervisor_log_lines_dropped_total",
          "Lines of the supervisor's log that were dropped: nobody read it, or it could not be written",
          static_cast<double>(own_log_lines_dropped), {}, MetricType::Counter);
  out.each("grove_worker_up", "Whether the worker serves", MetricType::Gauge,
           [&](std::uint32_t slot) { return workers[slot].state == worker_state::up ? 1 : 0; });
  out.each("grove_worker_restarts_total", "How often the worker's process was replaced", MetricType::Counter,
           [&](std::uint32_t slot) { return workers[slot].restarts; });
  out.each("grove_worker_generation", "The processes that the worker has had", MetricType::Gauge,
           [&](std::uint32_t slot) { return workers[slot].generation; });
  out.each("grove_worker_uptime_seconds", "Since the worker's process was started; 0 without one", MetricType::Gauge,
           [&](std::uint32_t slot) { return workers[slot].pid == 0 ? 0.0 : seconds(now - workers[slot].started_at); });
  out.each("grove_worker_partitions", "Partitions whose actors live with the worker", MetricType::Gauge,
           [&](std::uint32_t slot) { return judge.partitions().owned_by(slot); });
  for (std::size_t index = 0; index < metric_table.size(); ++index) {
    const metric_info& info = metric_table[index];
    const bool counter = info.kind == metric_kind::counter;
    out.each("grove_" + std::string{info.name} + (counter ? "_total" : ""), std::string{info.help},
             counter ? MetricType::Counter : MetricType::Gauge,
             [&](std::uint32_t slot) { return segment.slot(slot).metrics[static_cast<metric>(index)].get(); });
  }
  return out.text();
}

}  // namespace grove::server
