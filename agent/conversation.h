// A conversation as one text: what is segmented, searched and shown for `messages`.
#ifndef KVASIR_AGENT_CONVERSATION_H_
#define KVASIR_AGENT_CONVERSATION_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kvasir/types.h"

namespace kvasir::agent {

/// "Ada (2026-05-01 10:00): Hello.\n" for each message; the time is left out when there is none.
struct Conversation {
  std::string text;
  std::vector<std::size_t> turns;  ///< Where each message but the first begins in `text`.
};

Conversation RenderConversation(std::span<const Message> messages);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_CONVERSATION_H_
