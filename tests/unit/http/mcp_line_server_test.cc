// MCP over lines: order, cancellation, hostile input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "http/mcp/line_server.h"
#include "tests/http/scripted_memory.h"
#include "tests/unit/http/mcp_client.h"

namespace kvasir::http::mcp {
namespace {

using ::testing::IsEmpty;

/// A server on a thread of its own, and both ends of its lines.
class Conversation {
 public:
  Conversation()
      : protocol_({.memory = memory_, .principal = {}}),
        server_(
            protocol_, [this] { return Next(); }, [this](std::string_view line) { Heard(line); }),
        thread_([this](const std::stop_token& stop) { server_.Run(stop); }) {}
  ~Conversation() { Close(); }

  void SayLine(std::string text, bool too_long = false) {
    {
      std::lock_guard lock(mutex_);
      said_.push_back({std::move(text), too_long});
    }
    changed_.notify_all();
  }
  void Say(const Json& json) { SayLine(json.dump()); }
  /// Ends the lines and waits for the server to end.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  void Stop() { thread_.request_stop(); }
  /// The next thing that the server says.
  Json Hear() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(20), [this] { return !heard_.empty(); })) {
      return "silence";
    }
    const std::string line = heard_.front();
    heard_.pop_front();
    return Json::parse(line, nullptr, false);
  }
  std::deque<std::string> Rest() {
    Close();
    std::lock_guard lock(mutex_);
    return heard_;
  }
  http_test::ScriptedMemory& memory() { return memory_; }

 private:
  std::optional<Line> Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !said_.empty(); });
    if (said_.empty()) return std::nullopt;
    Line line = said_.front();
    said_.pop_front();
    return line;
  }
  void Heard(std::string_view line) {
    {
      std::lock_guard lock(mutex_);
      EXPECT_EQ(line.find('\n'), line.size() - 1);
      heard_.emplace_back(line);
    }
    changed_.notify_all();
  }

  http_test::ScriptedMemory memory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> said_;
  std::deque<std::string> heard_;
  bool closed_ = false;
  Protocol protocol_;
  LineServer server_;
  std::jthread thread_;
};

Json AskForEver(const Json& id) {
  Json params = ToolParams("memory_ask", {{"question", "Which river?"}});
  params["_meta"]["progressToken"] = id;
  return ModernAsk(id, "tools/call", params);
}

/// Until the scripted answer has sent its last token and waits.
void HearTokens(Conversation& conversation) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(conversation.Hear()["method"], "notifications/progress");
  }
}

TEST(McpLines, ServesBothErasOnOneStream) {
  Conversation conversation;
  conversation.Say(ModernAsk(1, "server/discover"));
  EXPECT_EQ(conversation.Hear()["id"], 1);
  conversation.Say(Ask(2, "tools/list"));
  EXPECT_EQ(conversation.Hear()["error"]["code"], -32602);
  conversation.Say(Ask(3, "initialize", {{"protocolVersion", "2025-06-18"}}));
  EXPECT_EQ(conversation.Hear()["result"]["protocolVersion"], "2025-06-18");
  conversation.Say(Json{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
  conversation.Say(Ask(4, "tools/list"));
  const Json old = conversation.Hear();
  EXPECT_EQ(old["result"]["tools"].size(), 7U);
  EXPECT_FALSE(old["result"].contains("resultType"));
  conversation.Say(ModernAsk(5, "tools/list"));
  EXPECT_EQ(conversation.Hear()["result"]["resultType"], "complete");
  EXPECT_THAT(conversation.Rest(), IsEmpty());
}

TEST(McpLines, AnswersWhatWasAskedBeforeTheEnd) {
  Conversation conversation;
  for (int i = 0; i < 50; ++i) conversation.Say(ModernAsk(i, "tools/list"));
  EXPECT_EQ(conversation.Rest().size(), 50U);
}

TEST(McpLines, StopsACancelledRequestAndAnswersItNoMore) {
  Conversation conversation;
  conversation.memory().AnswerForEver(true);
  conversation.Say(AskForEver("slow"));
  HearTokens(conversation);
  conversation.Say(Json{{"jsonrpc", "2.0"},
                        {"method", "notifications/cancelled"},
                        {"params", {{"requestId", "slow"}, {"reason", "enough"}}}});
  EXPECT_THAT(conversation.Rest(), IsEmpty());
  EXPECT_EQ(conversation.memory().stopped_asks(), 1);
}

TEST(McpLines, GoesOnBesideASlowRequest) {
  Conversation conversation;
  conversation.memory().AnswerForEver(true);
  conversation.Say(AskForEver(1));
  HearTokens(conversation);
  conversation.Say(ModernAsk(2, "tools/list"));
  EXPECT_EQ(conversation.Hear()["id"], 2);
  conversation.Say(ModernAsk(1, "tools/list"));
  EXPECT_EQ(conversation.Hear()["error"]["code"], -32600) << "the id is in use";
  conversation.Say(Json{
      {"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 1}}}});
}

TEST(McpLines, AStopCancelsWhatRuns) {
  Conversation conversation;
  conversation.memory().AnswerForEver(true);
  conversation.Say(AskForEver(1));
  HearTokens(conversation);
  conversation.Stop();
  EXPECT_THAT(conversation.Rest(), IsEmpty());
  EXPECT_EQ(conversation.memory().stopped_asks(), 1);
}

TEST(McpLines, AnswersHostileLinesWithErrorsAndGoesOn) {
  Conversation conversation;
  const std::string deep(100'000, '[');
  const std::pair<std::string, int> lines[] = {
      {"{", -32700},
      {"hello", -32700},
      {deep, -32700},
      {R"({"jsonrpc":"2.0","id":1,"method":")" + std::string("\xff\xfe") + "\"}", -32700},
      {R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})", -32700},
      {R"({"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"})", -32700},
      {std::string("\0\0", 2), -32700},
      {"[]", -32600},
      {"null", -32600},
      {R"({"jsonrpc":"2.0","id":1e3,"method":"ping"})", -32600},
  };
  for (const auto& [line, code] : lines) {
    conversation.SayLine(line);
    const Json reply = conversation.Hear();
    EXPECT_EQ(reply["error"]["code"], code) << line.substr(0, 80);
    EXPECT_TRUE(reply["id"].is_null());
  }
  conversation.SayLine("", true);
  EXPECT_EQ(conversation.Hear()["error"]["code"], -32600);
  conversation.SayLine(R"({"jsonrpc":"2.0","id":9,"method":"ping","params":[]})");
  EXPECT_EQ(conversation.Hear()["id"], 9);
  conversation.Say(ModernAsk(10, "tools/list"));
  EXPECT_EQ(conversation.Hear()["id"], 10);
}

TEST(McpLines, SaysNothingToNotificationsAnswersAndBlankLines) {
  Conversation conversation;
  conversation.SayLine("");
  conversation.SayLine("  \r");
  conversation.Say(Json{{"jsonrpc", "2.0"}, {"method", "notifications/whatever"}});
  conversation.Say(Json{{"jsonrpc", "2.0"},
                        {"method", "notifications/cancelled"},
                        {"params", {{"requestId", Json::object()}}}});
  conversation.Say(Json{{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}});
  conversation.Say(Json{{"jsonrpc", "2.0"}, {"id", 4}, {"result", Json::object()}});
  conversation.Say(Json{{"jsonrpc", "2.0"}, {"id", 4}, {"error", Json::object()}});
  EXPECT_THAT(conversation.Rest(), IsEmpty());
}

}  // namespace
}  // namespace kvasir::http::mcp
