#include "http/metrics.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace kvasir::http {
namespace {

/// The shortest decimal that reads back as the same number.
std::string Text(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

void Describe(std::string& out, std::string_view name, std::string_view type,
              std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  out.append(name).append(" ").append(type).append("\n");
}

void Sample(std::string& out, std::string_view name, std::string_view labels,
            std::string_view value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void Single(std::string& out, std::string_view name, std::string_view type, std::string_view help,
            std::uint64_t value) {
  Describe(out, name, type, help);
  Sample(out, name, "", std::to_string(value));
}

/// Routes and codes are our own words; methods are checked; nothing needs escapes.
std::string Label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + "\"";
}

}  // namespace

void Metrics::Begin() {
  std::lock_guard lock(mutex_);
  ++in_flight_;
}

void Metrics::End(std::string_view method, std::string_view route, int status,
                  std::chrono::microseconds took) {
  const double seconds = static_cast<double>(took.count()) * 1e-6;
  const auto bucket = static_cast<std::size_t>(
      std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  std::lock_guard lock(mutex_);
  --in_flight_;
  ++requests_[{std::string(method), std::string(route), status}];
  Histogram& histogram = durations_[std::string(route)];
  ++histogram.counts[bucket];
  histogram.sum_s += seconds;
}

void Metrics::Refuse(std::string_view code) {
  std::lock_guard lock(mutex_);
  ++refused_[std::string(code)];
}

std::string Metrics::ToPrometheus() const {
  std::string out;
  std::lock_guard lock(mutex_);
  Describe(out, "kvasir_http_requests_total", "counter", "Requests answered by a route.");
  for (const auto& [key, count] : requests_) {
    const auto& [method, route, status] = key;
    Sample(out, "kvasir_http_requests_total",
           Label("method", method) + "," + Label("route", route) + "," +
               Label("status", std::to_string(status)),
           std::to_string(count));
  }
  constexpr std::string_view kDuration = "kvasir_http_request_duration_seconds";
  Describe(out, kDuration, "histogram", "From the whole request to the end of the answer.");
  for (const auto& [route, histogram] : durations_) {
    const std::string label = Label("route", route);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      total += histogram.counts[i];
      const std::string bound = i < kBounds.size() ? Text(kBounds[i]) : "+Inf";
      Sample(out, std::string(kDuration) + "_bucket", label + "," + Label("le", bound),
             std::to_string(total));
    }
    Sample(out, std::string(kDuration) + "_sum", label, Text(histogram.sum_s));
    Sample(out, std::string(kDuration) + "_count", label, std::to_string(total));
  }
  Describe(out, "kvasir_http_refused_total", "counter", "Requests turned away before a route.");
  for (const auto& [code, count] : refused_) {
    Sample(out, "kvasir_http_refused_total", Label("code", code), std::to_string(count));
  }
  Single(out, "kvasir_http_requests_in_flight", "gauge", "Requests that are being handled.",
         in_flight_);
  if (queued_) {
    Single(out, "kvasir_http_queue_length", "gauge", "Whole requests that wait for a worker.",
           queued_());
  }
  return out;
}

namespace {

/// `prefix` names the cache, `what` what it holds.
void AddCache(std::string& out, const std::string& prefix, const std::string& what,
              const CacheUse& cache) {
  const auto gauge = [&](const char* name, const std::string& help, std::uint64_t value) {
    Single(out, prefix + name, "gauge", help, value);
  };
  const auto counter = [&](const char* name, std::string_view help, std::uint64_t value) {
    Single(out, prefix + name, "counter", help, value);
  };
  gauge("_budget_bytes", "Most that cached " + what + " may take.", cache.budget_bytes);
  gauge("_used_bytes", "What they take.", cache.used_bytes);
  counter("_hits_total", "Segments asked for that were there.", cache.hits);
  counter("_misses_total", "Segments that had to be read.", cache.misses);
  counter("_evictions_total", "Segments given up for others.", cache.evictions);
  counter("_prefetches_total", "Segments read before anybody asked.", cache.prefetches);
  counter("_prefetches_used_total", "Of those, asked for later.", cache.prefetches_used);
  counter("_prefetches_wasted_total", "Of those, given up unasked for.", cache.prefetches_wasted);
}

}  // namespace

std::string StoreToPrometheus(const Stats& stats) {
  std::string out;
  std::uint64_t memories = 0;
  std::uint64_t segments = 0;
  for (const SpaceInfo& space : stats.spaces) {
    memories += space.memories;
    segments += space.segments;
  }
  // Sums only: names of spaces are their owners' business.
  Single(out, "kvasir_store_spaces", "gauge", "Spaces in the store.", stats.spaces.size());
  Single(out, "kvasir_store_memories", "gauge", "Memories in the store.", memories);
  Single(out, "kvasir_store_segments", "gauge", "Segments in the store.", segments);
  Single(out, "kvasir_store_disk_bytes", "gauge", "Bytes of the store's folder.", stats.disk_bytes);
  Single(out, "kvasir_store_index_bytes", "gauge", "Bytes of the router index in memory.",
         stats.index_bytes);
  constexpr std::string_view kWork[] = {"encode", "route", "prefill", "decode"};
  const Work* works[] = {&stats.encode, &stats.route, &stats.prefill, &stats.decode};
  const auto describe = [&](std::string_view name, std::string_view help, const auto& value) {
    Describe(out, name, "counter", help);
    for (std::size_t i = 0; i < std::size(works); ++i) {
      Sample(out, name, Label("kind", kWork[i]), value(*works[i]));
    }
  };
  describe("kvasir_model_calls_total", "Runs of the model, by what for.",
           [](const Work& work) { return std::to_string(work.calls); });
  describe("kvasir_model_tokens_total", "Tokens that went through the model.",
           [](const Work& work) { return std::to_string(work.tokens); });
  describe("kvasir_model_seconds_total", "Time in the model; calls beside each other add up.",
           [](const Work& work) { return Text(static_cast<double>(work.took.count()) * 1e-6); });
  AddCache(out, "kvasir_kv_cache", "keys and values", stats.kv_cache);
  AddCache(out, "kvasir_router_cache", "router keys", stats.router_cache);
  Single(out, "kvasir_store_commits_total", "counter", "Commits in the ledger.", stats.commits);
  return out;
}

}  // namespace kvasir::http
