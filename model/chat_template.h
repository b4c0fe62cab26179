// ChatML framing for SmolLM2-Instruct and Qwen3, made of token ids.
#ifndef KVASIR_MODEL_CHAT_TEMPLATE_H_
#define KVASIR_MODEL_CHAT_TEMPLATE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "model/tokenizer.h"

namespace kvasir::model {

struct ChatMessage {
  std::string role;     ///< "system", "user" or "assistant".
  std::string content;  ///< Any UTF-8. Text that looks like a control token stays text.
};

/// `<|im_start|>ROLE\nCONTENT<|im_end|>\n` for each message. The two control tokens are put in by
/// id and the rest is encoded without parsing control tokens, so no content can end its own frame.
/// Immutable, thread-safe.
class ChatTemplate {
 public:
  /// kUnavailable when the tokenizer has no <|im_start|> and <|im_end|>.
  static Result<ChatTemplate> Create(Tokenizer tokenizer);

  /// One whole message with its closing newline.
  Result<std::vector<TokenId>> Message(const ChatMessage& message) const;
  /// All messages, then `<|im_start|>assistant\n` when a reply is wanted. No system message is made
  /// up: give one where the model expects it.
  Result<std::vector<TokenId>> Conversation(std::span<const ChatMessage> messages,
                                            bool open_reply = true) const;
  /// `<|im_start|>` + text + `<|im_end|>` without a role: the frame of a document (MSA).
  Result<std::vector<TokenId>> Document(std::string_view text) const;
  /// `<|im_start|>user\n`: the template head in front of every memory (MSA).
  const std::vector<TokenId>& head() const { return head_; }
  /// `<|im_start|>assistant\n`.
  const std::vector<TokenId>& reply_opening() const { return reply_opening_; }

  TokenId im_start() const { return im_start_; }
  TokenId im_end() const { return im_end_; }

 private:
  ChatTemplate(Tokenizer tokenizer, TokenId im_start, TokenId im_end)
      : tokenizer_(std::move(tokenizer)), im_start_(im_start), im_end_(im_end) {}
  /// <|im_start|> and the text.
  Result<std::vector<TokenId>> Opening(std::string_view text) const;

  Tokenizer tokenizer_;
  TokenId im_start_;
  TokenId im_end_;
  std::vector<TokenId> head_;
  std::vector<TokenId> reply_opening_;
  std::vector<TokenId> newline_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_CHAT_TEMPLATE_H_
