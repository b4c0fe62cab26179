#include "agent/conversation.h"

#include <gtest/gtest.h>

namespace kvasir::agent {
namespace {

using namespace std::chrono_literals;

TEST(Conversation, SaysWhoSpokeAndWhen) {
  const Timestamp time = std::chrono::sys_days(2026y / 5 / 1) + 10h + 5min + 59s;
  const std::vector<Message> messages = {
      {.role = "user", .content = "Hi.", .name = "Ada", .time = time},
      {.role = "assistant", .content = "Hello!", .name = "", .time = {}}};
  const Conversation conversation = RenderConversation(messages);
  EXPECT_EQ(conversation.text, "Ada (2026-05-01 10:05): Hi.\nassistant: Hello!\n");
  EXPECT_EQ(conversation.turns, std::vector<std::size_t>{28});
  EXPECT_EQ(conversation.text.substr(28, 9), "assistant");
}

TEST(Conversation, OfNobodyIsEmpty) { EXPECT_EQ(RenderConversation({}).text, ""); }

}  // namespace
}  // namespace kvasir::agent
