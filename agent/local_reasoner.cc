#include "agent/local_reasoner.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "model/chat_template.h"
#include "model/repetition.h"
#include "model/sampler.h"
#include "model/stop_strings.h"

namespace kvasir::agent {
namespace {

// Attention over a prompt costs its square, and small models lose the thread in long ones.
constexpr std::size_t kMostContext = 2048;

Result<model::TokenSequence> Tokens(const Bank& bank,
                                    const std::vector<ReasonerMessage>& messages) {
  KVASIR_ASSIGN_OR_RETURN(const auto chat, model::ChatTemplate::Create(bank.framing().tokenizer()));
  std::vector<model::ChatMessage> conversation;
  conversation.reserve(messages.size());
  for (const ReasonerMessage& message : messages) {
    conversation.push_back({message.role, message.content});
  }
  return chat.Conversation(conversation);
}

// Turns tokens into text and hands on what is certain.
class Writer {
 public:
  Writer(const model::Tokenizer& tokenizer, const ReasonerRequest& request)
      : decoder_(tokenizer), stops_(request.stop), request_(request) {}

  /// False once a stop string was met.
  bool Push(model::TokenId token) {
    Emit(stops_.Push(decoder_.Push(token)));
    return !stops_.stopped();
  }
  std::string Finish() {
    if (!stops_.stopped()) Emit(stops_.Push(decoder_.Finish()));
    Emit(stops_.Finish());
    return std::move(text_);
  }

 private:
  void Emit(const std::string& piece) {
    if (piece.empty()) return;
    text_ += piece;
    if (request_.on_text) request_.on_text(piece);
  }

  model::StreamDecoder decoder_;
  model::StopStrings stops_;
  const ReasonerRequest& request_;
  std::string text_;
};

}  // namespace

Result<std::size_t> CountLocally(const Bank& bank, const std::vector<ReasonerMessage>& messages) {
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence tokens, Tokens(bank, messages));
  return tokens.size();
}

std::size_t LocalBudget(const Bank& bank, std::uint32_t max_new_tokens) {
  const auto context =
      std::min(static_cast<std::size_t>(bank.model().config().context_length), kMostContext);
  // Positions begin behind the template head and the k documents (msa.md §5).
  const std::size_t offset =
      bank.model().template_head().size() + static_cast<std::size_t>(bank.model().router().top_k);
  const std::size_t taken = offset + max_new_tokens;
  return context > taken ? context - taken : 0;
}

Result<ReasonerAnswer> Reply(Bank& bank, model::Question& question,
                             const ReasonerRequest& request) {
  const model::Tokenizer& tokenizer = bank.framing().tokenizer();
  model::Sampler sampler(
      {.temperature = request.temperature, .top_p = request.top_p, .seed = request.seed});
  Writer writer(tokenizer, request);
  ReasonerAnswer answer;
  answer.model = "local";
  model::TokenSequence said;
  Stopwatch stopwatch(bank.work(), WorkKind::kDecode);
  while (answer.new_tokens < request.max_new_tokens) {
    if (request.stop_token.stop_requested()) return Cancelled("ask was stopped");
    const model::TokenId token = sampler.Next(question.logits());
    if (tokenizer.IsControl(token)) break;  // <|im_end|>, or a turn that is not the model's.
    ++answer.new_tokens;
    stopwatch.AddTokens(1);
    said.push_back(token);
    if (!writer.Push(token) || model::EndsInLoop(said)) break;
    if (answer.new_tokens < request.max_new_tokens) {
      KVASIR_RETURN_IF_ERROR(question.Append({&token, 1}));
    }
  }
  answer.text = writer.Finish();
  return answer;
}

Result<ReasonerAnswer> AnswerLocally(Bank& bank, const ReasonerRequest& request,
                                     model::MemoryProvider* memory) {
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence prompt, Tokens(bank, request.messages));
  KVASIR_ASSIGN_OR_RETURN(const auto question, bank.answers().Borrow());
  model::PrefillRequest prefill;
  prefill.tokens = prompt;
  prefill.memory = memory;
  {
    const Stopwatch stopwatch(bank.work(), WorkKind::kPrefill, prompt.size());
    KVASIR_RETURN_IF_ERROR(question->Prefill(prefill));
  }
  KVASIR_ASSIGN_OR_RETURN(ReasonerAnswer answer, Reply(bank, *question, request));
  answer.prompt_tokens = static_cast<std::uint32_t>(prompt.size());
  return answer;
}

}  // namespace kvasir::agent
