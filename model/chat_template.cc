#include "model/chat_template.h"

#include <utility>

namespace kvasir::model {
namespace {

void Append(const std::vector<TokenId>& from, std::vector<TokenId>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Result<ChatTemplate> ChatTemplate::Create(Tokenizer tokenizer) {
  const auto im_start = tokenizer.FindSpecial("<|im_start|>");
  const auto im_end = tokenizer.FindSpecial("<|im_end|>");
  if (!im_start || !im_end || !tokenizer.IsControl(*im_start) || !tokenizer.IsControl(*im_end)) {
    return Unavailable("the model has no <|im_start|> and <|im_end|>: ChatML models only");
  }
  ChatTemplate chat(std::move(tokenizer), *im_start, *im_end);
  KVASIR_ASSIGN_OR_RETURN(chat.head_, chat.Opening("user\n"));
  KVASIR_ASSIGN_OR_RETURN(chat.reply_opening_, chat.Opening("assistant\n"));
  KVASIR_ASSIGN_OR_RETURN(chat.newline_, chat.tokenizer_.Encode("\n"));
  return chat;
}

Result<std::vector<TokenId>> ChatTemplate::Opening(std::string_view text) const {
  KVASIR_ASSIGN_OR_RETURN(const auto encoded, tokenizer_.Encode(text));
  std::vector<TokenId> tokens = {im_start_};
  Append(encoded, tokens);
  return tokens;
}

Result<std::vector<TokenId>> ChatTemplate::Document(std::string_view text) const {
  KVASIR_ASSIGN_OR_RETURN(std::vector<TokenId> tokens, Opening(text));
  tokens.push_back(im_end_);
  return tokens;
}

Result<std::vector<TokenId>> ChatTemplate::Message(const ChatMessage& message) const {
  // Role and content are encoded as one text, as the models were trained: a merge may cross.
  KVASIR_ASSIGN_OR_RETURN(std::vector<TokenId> tokens,
                          Document(message.role + "\n" + message.content));
  Append(newline_, tokens);
  return tokens;
}

Result<std::vector<TokenId>> ChatTemplate::Conversation(std::span<const ChatMessage> messages,
                                                        bool open_reply) const {
  std::vector<TokenId> tokens;
  for (const ChatMessage& message : messages) {
    KVASIR_ASSIGN_OR_RETURN(const auto encoded, Message(message));
    Append(encoded, tokens);
  }
  if (open_reply) Append(reply_opening_, tokens);
  return tokens;
}

}  // namespace kvasir::model
