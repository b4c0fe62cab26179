#include "agent/framing.h"

#include <algorithm>
#include <string>
#include <utility>

#include "agent/segmenter.h"

namespace kvasir::agent {
namespace {

constexpr std::size_t kTitleTokens = 64;  // An eighth of a segment; a longer title is a text.

// msa.md §6; the question's text and its last newline route.
constexpr std::string_view kMsaQuestionHead =
    "\nPlease answer the question based on the above historical document information\n\n";
constexpr std::string_view kMsaQuestionTail =
    "\nPlease return all documents related to the question\n";

void Append(const model::TokenSequence& more, model::TokenSequence* tokens) {
  tokens->insert(tokens->end(), more.begin(), more.end());
}

}  // namespace

std::string NumberMark(std::uint64_t number) {
  std::string mark(1, '[');
  mark += std::to_string(number);
  mark += ']';
  return mark;
}

bool RoutesAsPublished(const model::Model& model) {
  return model.config().msa && model.adapter() == nullptr;
}

Result<Framing> Framing::Make(const model::Model& model) {
  if (model.tokenizer() == nullptr) {
    return Unavailable("the model " + model.config().name + " has no tokenizer");
  }
  Framing framing(*model.tokenizer());
  framing.most_tokens_ = static_cast<std::size_t>(model.config().context_length);
  model::TextTemplate document{.prefix = "<|im_start|>", .suffix = "<|im_end|>"};
  model::TextTemplate query;
  if (model.adapter() != nullptr) {
    framing.numbered_ = false;
    document = model.adapter()->document_template;
    query = model.adapter()->query_template;
  } else if (RoutesAsPublished(model)) {
    query = {.prefix = std::string(kMsaQuestionHead), .suffix = std::string(kMsaQuestionTail)};
    framing.published_query_ = query;
  }
  for (const auto& [text, tokens] : {std::pair(&document.prefix, &framing.document_prefix_),
                                     std::pair(&document.suffix, &framing.document_suffix_),
                                     std::pair(&query.prefix, &framing.query_prefix_),
                                     std::pair(&query.suffix, &framing.query_suffix_)}) {
    KVASIR_ASSIGN_OR_RETURN(*tokens, framing.tokenizer_.Encode(*text, {.parse_special = true}));
  }
  return framing;
}

Result<model::TokenSequence> Framing::Title(std::string_view title) const {
  if (title.empty()) return Tokens();
  KVASIR_ASSIGN_OR_RETURN(Tokens tokens, tokenizer_.Encode(title));
  if (tokens.size() > kTitleTokens) tokens.resize(kTitleTokens);
  KVASIR_ASSIGN_OR_RETURN(const Tokens newline, tokenizer_.Encode("\n"));
  Append(newline, &tokens);
  return tokens;
}

Result<model::TokenSequence> Framing::Body(std::uint64_t number, std::string_view title,
                                           std::string_view text) const {
  const std::string_view trimmed = Trimmed(text);
  KVASIR_ASSIGN_OR_RETURN(Tokens body, Title(title));
  if (!numbered_) {
    KVASIR_ASSIGN_OR_RETURN(const Tokens words, tokenizer_.Encode(trimmed));
    Append(words, &body);
    return body;
  }
  // The reference tokenises number and text as one string; a title comes between them.
  const std::string mark = NumberMark(number);
  if (body.empty()) return tokenizer_.Encode(mark + ". " + std::string(trimmed) + mark);
  KVASIR_ASSIGN_OR_RETURN(Tokens numbered, tokenizer_.Encode(mark + ". "));
  Append(body, &numbered);
  KVASIR_ASSIGN_OR_RETURN(const Tokens words, tokenizer_.Encode(std::string(trimmed) + mark));
  Append(words, &numbered);
  return numbered;
}

Result<model::TokenSequence> Framing::Segment(std::uint64_t number, std::string_view title,
                                              std::string_view text) const {
  KVASIR_ASSIGN_OR_RETURN(const Tokens body, Body(number, title, text));
  Tokens tokens = document_prefix_;
  Append(body, &tokens);
  const std::size_t room = most_tokens_ - std::min(document_suffix_.size(), most_tokens_);
  if (tokens.size() > room) tokens.resize(room);
  Append(document_suffix_, &tokens);
  return tokens;
}

Result<std::int64_t> Framing::Budget(std::uint64_t number, std::string_view title) const {
  KVASIR_ASSIGN_OR_RETURN(const Tokens empty, Segment(number, title, ""));
  // Two tokens to spare: a text's last word and the number behind it may be cut differently.
  const auto frame = static_cast<std::int64_t>(empty.size()) + 2;
  const auto most = std::min(kSegmentTokens, static_cast<std::int64_t>(most_tokens_));
  return std::max<std::int64_t>(most - frame, 4);
}

Result<model::TokenSequence> Framing::Question(std::string_view text) const {
  KVASIR_ASSIGN_OR_RETURN(Tokens words, tokenizer_.Encode(Trimmed(text)));
  const auto most = static_cast<std::size_t>(kSegmentTokens);
  if (published_query_ && words.size() <= most) {
    return tokenizer_.Encode(published_query_->prefix + std::string(Trimmed(text)) +
                             published_query_->suffix);
  }
  if (words.size() > most) words.resize(most);
  Tokens tokens = query_prefix_;
  Append(words, &tokens);
  Append(query_suffix_, &tokens);
  return tokens;
}

}  // namespace kvasir::agent
