#include "agent/retrieval_frame.h"

#include <string>

#include "agent/segmenter.h"

namespace kvasir::agent {
namespace {

constexpr std::string_view kEndOfNumbersMark = "<|object_ref_end|>";
constexpr std::string_view kEndOfRetrievalMark = "<End-of-Retrieve>";

}  // namespace

Result<std::optional<RetrievalFrame>> RetrievalFrame::Make(const model::Model& model,
                                                           const Framing& framing) {
  const model::Tokenizer& tokenizer = framing.tokenizer();
  const auto im_start = tokenizer.FindSpecial("<|im_start|>");
  const auto im_end = tokenizer.FindSpecial("<|im_end|>");
  const auto end_of_numbers = tokenizer.FindSpecial(kEndOfNumbersMark);
  if (!model.config().msa || model.adapter() != nullptr || !im_start || !im_end ||
      !end_of_numbers) {
    return std::optional<RetrievalFrame>();
  }
  RetrievalFrame frame(framing);
  frame.im_start_ = *im_start;
  frame.end_of_numbers_ = *end_of_numbers;
  KVASIR_ASSIGN_OR_RETURN(const Tokens newline, tokenizer.Encode("\n"));
  frame.tail_ = {*im_end};
  frame.tail_.insert(frame.tail_.end(), newline.begin(), newline.end());
  frame.tail_.push_back(*im_start);
  KVASIR_ASSIGN_OR_RETURN(frame.end_of_retrieval_,
                          tokenizer.Encode(kEndOfRetrievalMark, {.parse_special = true}));
  return std::optional(std::move(frame));
}

Result<model::NumberTrie> RetrievalFrame::Trie(std::span<const std::uint64_t> offered,
                                               bool given) const {
  model::NumberTrie trie;
  for (const std::uint64_t number : offered) {
    KVASIR_ASSIGN_OR_RETURN(const Tokens spelling,
                            framing_->tokenizer().Encode(NumberMark(number)));
    trie.Add(number, spelling);
  }
  trie.Add(kEndOfRetrieval, end_of_retrieval_);
  if (given) trie.Add(kEndOfNumbers, {&end_of_numbers_, 1});
  return trie;
}

Result<model::TokenSequence> RetrievalFrame::Passage(std::uint64_t number, std::string_view title,
                                                     std::string_view text) const {
  std::string whole = NumberMark(number) + ". ";
  if (!title.empty()) whole.append(title).append("\n");
  whole.append(Trimmed(text)).append("\n");
  return framing_->tokenizer().Encode(whole);
}

Result<model::TokenSequence> RetrievalFrame::AnswerOpening(std::string_view question) const {
  KVASIR_ASSIGN_OR_RETURN(const Tokens words,
                          framing_->tokenizer().Encode(
                              "The user's question is: " + std::string(Trimmed(question)) + "\n"));
  Tokens tokens = {im_start_};
  tokens.insert(tokens.end(), words.begin(), words.end());
  tokens.push_back(end_of_numbers_);
  return tokens;
}

}  // namespace kvasir::agent
