#include "agent/conversation.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace kvasir::agent {
namespace {

// Minutes are what people say in a conversation; the exact time stays with the message itself.
std::string Minutes(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 48> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

Conversation RenderConversation(std::span<const Message> messages) {
  Conversation conversation;
  for (const Message& message : messages) {
    std::string& text = conversation.text;
    if (!text.empty()) conversation.turns.push_back(text.size());
    text += message.name.empty() ? message.role : message.name;
    if (message.time) text += " (" + Minutes(*message.time) + ")";
    text += ": " + message.content + "\n";
  }
  return conversation;
}

}  // namespace kvasir::agent
