#include "http/head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kvasir::http {
namespace {

std::string Head(const std::string& line, const std::string& fields = "Host: x\r\n") {
  return line + "\r\n" + fields + "\r\n";
}

RequestHead Read(const std::string& bytes) {
  auto parsed = ParseHead(bytes);
  if (const auto* problem = std::get_if<Problem>(&parsed)) ADD_FAILURE() << problem->detail;
  auto* head = std::get_if<RequestHead>(&parsed);
  return head == nullptr ? RequestHead{} : std::move(*head);
}

int RefusalOf(const std::string& bytes) {
  const auto parsed = ParseHead(bytes);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem == nullptr ? 0 : problem->status;
}

int RefusalOfFields(const std::string& fields) {
  return RefusalOf(Head("POST / HTTP/1.1", "Host: x\r\n" + fields));
}

TEST(Head, ReadsPathQueryAndFields) {
  const auto head = Read(Head("GET /v1/memories/a%2Fb?limit=5&q=a+b%26c HTTP/1.1",
                              "Host: x\r\nIf-Match:  \"h\" \r\nContent-Length: 12\r\n"));
  EXPECT_EQ(head.path, (std::vector<std::string>{"v1", "memories", "a/b"}));
  ASSERT_EQ(head.query.size(), 2U);
  EXPECT_EQ(head.query[1].second, "a b&c");
  EXPECT_EQ(head.Header("if-match"), "\"h\"");
  EXPECT_EQ(head.content_length, 12U);
}

TEST(Head, KeepsDotsInAPathAsPlainWords) {
  EXPECT_EQ(Read(Head("GET /../..%2fetc/passwd HTTP/1.1")).path,
            (std::vector<std::string>{"..", "../etc", "passwd"}));
}

TEST(Head, RefusesRequestLinesThatAreNone) {
  EXPECT_EQ(RefusalOf(Head("GET")), 400);
  EXPECT_EQ(RefusalOf(Head("GET /")), 400);
  EXPECT_EQ(RefusalOf(Head("GET / HTTP/2.0")), 505);
  EXPECT_EQ(RefusalOf(Head("GET / http/1.1")), 505);
  EXPECT_EQ(RefusalOf(Head("get / HTTP/1.1")), 400);
  EXPECT_EQ(RefusalOf(Head("G(T / HTTP/1.1")), 400);
  EXPECT_EQ(RefusalOf(Head("GET http://x/ HTTP/1.1")), 400);
  EXPECT_EQ(RefusalOf(Head("GET * HTTP/1.1")), 400);
  EXPECT_EQ(RefusalOf(Head("GET /a b HTTP/1.1")), 400);
  EXPECT_EQ(RefusalOf(Head("GET /\x80 HTTP/1.1")), 400);
}

TEST(Head, RefusesEscapesThatHideSomething) {
  for (const char* target :
       {"/%", "/%4", "/%zz", "/%00", "/%0d%0a", "/%ff", "/%c0%af", "/?a=%01"}) {
    EXPECT_EQ(RefusalOf(Head(std::string("GET ") + target + " HTTP/1.1")), 400) << target;
  }
}

TEST(Head, BoundsTargetAndFields) {
  const std::string fits(kMaxTargetBytes - 1, 'a');
  EXPECT_EQ(RefusalOf(Head("GET /" + fits + " HTTP/1.1")), 0);
  EXPECT_EQ(RefusalOf(Head("GET /" + fits + "a HTTP/1.1")), 414);
  EXPECT_EQ(RefusalOfFields("A: " + std::string(kMaxHeaderBytes, 'a') + "\r\n"), 431);
  std::string many;
  for (std::size_t i = 0; i <= kMaxHeaderFields; ++i) many += "A: b\r\n";
  EXPECT_EQ(RefusalOfFields(many), 431);
}

TEST(Head, RefusesWhatTwoParsersReadDifferently) {
  EXPECT_EQ(RefusalOf("GET / HTTP/1.1\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("A: b\n"), 400);
  EXPECT_EQ(RefusalOfFields("A: b\rC: d\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("A: b\r\n c\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("A : b\r\n"), 400);
  EXPECT_EQ(RefusalOfFields(": b\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("A\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("A: b\x01\r\n"), 400);
  EXPECT_EQ(RefusalOfFields(std::string("A: b\0c\r\n", 8)), 400);
  EXPECT_EQ(RefusalOfFields("Host: y\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("Authorization: a\r\nauthorization: b\r\n"), 400);
}

TEST(Head, TakesTheLengthOfTheBodyInOneWayOnly) {
  EXPECT_EQ(RefusalOfFields("Transfer-Encoding: chunked\r\n"), 411);
  EXPECT_EQ(RefusalOfFields("Transfer-Encoding: identity\r\n"), 411);
  EXPECT_EQ(RefusalOfFields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400);
  EXPECT_EQ(RefusalOfFields("Content-Length: 3\r\nContent-Length: 3\r\n"), 400);
  for (const char* length : {"", "3,3", "+3", "-3", "0x3", "3 3", "3.0"}) {
    EXPECT_EQ(RefusalOfFields(std::string("Content-Length: ") + length + "\r\n"), 400) << length;
  }
  EXPECT_EQ(RefusalOfFields("Content-Length: 67108865\r\n"), 413);
  EXPECT_EQ(RefusalOfFields("Content-Length: 99999999999999999999999\r\n"), 413);
  EXPECT_EQ(RefusalOfFields("Content-Encoding: gzip\r\n"), 415);
  EXPECT_EQ(RefusalOfFields("Expect: something\r\n"), 417);
}

TEST(Head, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("aä€😀"));
  for (const char* bad : {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5", "\xE2\x82", "a\xF0\x9F\x98"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace kvasir::http
