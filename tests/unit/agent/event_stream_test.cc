#include "agent/event_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace kvasir::agent {
namespace {

// Everything that comes out when `bytes` come in pieces of `step`.
std::vector<std::string> Events(const std::string& bytes, std::size_t step) {
  std::vector<std::string> events;
  EventStream stream([&](const std::string& data) { events.push_back(data); });
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    EXPECT_TRUE(stream.Push(std::string_view(bytes).substr(at, step)));
  }
  stream.Finish();
  return events;
}

TEST(EventStream, IsTheSameHoweverItsBytesCome) {
  const std::string bytes =
      ": hello\ndata: one\n\ndata:two\r\n\r\nevent: x\ndata: a\ndata: b\n\nid: 7\n\ndata: last";
  const std::vector<std::string> expected = {"one", "two", "a\nb", "last"};
  for (const std::size_t step : {1, 2, 3, 7, 1000}) EXPECT_EQ(Events(bytes, step), expected);
}

TEST(EventStream, RefusesAnEndlessEvent) {
  EventStream stream([](const std::string&) {});
  const std::string megabyte(std::size_t{1} << 20, 'x');
  EXPECT_TRUE(stream.Push("data: "));
  EXPECT_FALSE(stream.Push(megabyte));
}

}  // namespace
}  // namespace kvasir::agent
