#include "http/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/access_log.h"
#include "http/json.h"

namespace kvasir::http {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, CountRequestsAndTheirTimes) {
  Metrics metrics([] { return std::size_t{4}; });
  metrics.Begin();
  metrics.Begin();
  metrics.End("GET", "/v1/memories/{id}", 200, std::chrono::milliseconds(3));
  metrics.Refuse("uri_too_long");
  const std::string text = metrics.ToPrometheus();
  const std::string route = "route=\"/v1/memories/{id}\"";
  EXPECT_THAT(text, HasSubstr("kvasir_http_requests_total{method=\"GET\"," + route +
                              ",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{" + route + ",le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{" + route + ",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{" + route + ",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_sum{" + route + "} 0.003\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_http_refused_total{code=\"uri_too_long\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_http_requests_in_flight 1\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_http_queue_length 4\n"));
}

TEST(Metrics, TellWhatTheModelAndTheStoreDid) {
  Stats stats;
  stats.spaces = {{"one", 2, 3, 40}, {"two", 1, 1, 10}};
  stats.disk_bytes = 1000;
  stats.encode = {.calls = 2, .tokens = 50, .took = std::chrono::milliseconds(1500)};
  stats.decode = {.calls = 1, .tokens = 7, .took = std::chrono::milliseconds(250)};
  stats.kv_cache = {.budget_bytes = 64,
                    .used_bytes = 48,
                    .hits = 9,
                    .misses = 5,
                    .evictions = 2,
                    .prefetches = 17,
                    .prefetches_used = 11,
                    .prefetches_wasted = 3};
  stats.router_cache = {.budget_bytes = 32, .used_bytes = 16, .hits = 7, .misses = 3};
  const std::string text = StoreToPrometheus(stats);
  EXPECT_THAT(text, HasSubstr("kvasir_store_memories 3\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_store_disk_bytes 1000\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_model_tokens_total{kind=\"encode\"} 50\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_model_seconds_total{kind=\"encode\"} 1.5\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_model_calls_total{kind=\"route\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_model_seconds_total{kind=\"decode\"} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_budget_bytes 64\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_used_bytes 48\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_hits_total 9\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_misses_total 5\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_evictions_total 2\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_prefetches_total 17\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_prefetches_used_total 11\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_kv_cache_prefetches_wasted_total 3\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_router_cache_budget_bytes 32\n"));
  EXPECT_THAT(text, HasSubstr("kvasir_router_cache_hits_total 7\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("one")));
}

TEST(AccessLog, WritesOneObjectPerLine) {
  std::string lines;
  AccessLog log([&lines](std::string_view line) { lines += line; });
  log.Write({.request_id = "r1",
             .remote = "127.0.0.1",
             .method = "GET",
             .route = "/livez",
             .key_id = {},
             .status = 200,
             .code = {},
             .error = {},
             .took = std::chrono::microseconds(1500)});
  ASSERT_EQ(lines.find('\n'), lines.size() - 1);
  const Json json = Json::parse(lines);
  EXPECT_EQ(json["request_id"], "r1");
  EXPECT_EQ(json["ms"], 1.5);
  EXPECT_FALSE(json.contains("code"));
}

}  // namespace
}  // namespace kvasir::http
