#include "agent/interleave.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/local_reasoner.h"
#include "agent/routed_memory.h"
#include "model/sampler.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;
using Tokens = model::TokenSequence;

// Sixteen whole segments; the cost of a prefill's attention grows with its square.
constexpr std::size_t kMostContext = 8192;

void Append(const Tokens& more, Tokens* tokens) {
  tokens->insert(tokens->end(), more.begin(), more.end());
}

/// The context so far, and which of its tokens route when it is prefilled.
struct Context {
  Tokens tokens;
  std::size_t question = 0;  // Tokens of the framed question, at the beginning.
  std::size_t appended_begin = 0;
  std::size_t appended_end = 0;  // The texts appended last.

  std::vector<std::uint8_t> Routes() const {
    std::vector<std::uint8_t> routes(tokens.size());
    const bool first_round = appended_end == 0;
    std::fill_n(routes.begin(), first_round ? question : question - 1, 1);
    std::fill(routes.begin() + static_cast<std::ptrdiff_t>(appended_begin),
              routes.begin() + static_cast<std::ptrdiff_t>(appended_end), 1);
    return routes;
  }
};

class Interleaver {
 public:
  Interleaver(Bank& bank, storage::SpaceId space, const AskRequest& request,
              const RetrievalFrame& frame, const ReasonerRequest& reply)
      : bank_(bank), space_(space), request_(request), frame_(frame), reply_(reply) {}

  Result<Interleaved> Run();

 private:
  struct Round {
    std::vector<DocumentNumber> numbers;  // As they were generated.
    bool last = false;                    // The end mark came.
  };

  Status Prefill();
  Result<Round> GenerateNumbers();
  Result<bool> AppendTexts(std::vector<DocumentNumber> numbers, std::uint32_t hop);
  Status Explain(std::uint32_t hop);
  std::size_t Room() const;

  Bank& bank_;
  const storage::SpaceId space_;
  const AskRequest& request_;
  const RetrievalFrame& frame_;
  const ReasonerRequest& reply_;
  model::Question* question_ = nullptr;
  RoutedMemory* memory_ = nullptr;
  Context context_;
  Tokens ending_;         // What stands between the context and the answer and has not run yet.
  bool has_run_ = false;  // The context, as it stands.
  std::set<DocumentNumber> read_;
  Reading reading_;
};

Result<Interleaved> Interleaver::Run() {
  const storage::Selection selection{.session = request_.session,
                                     .filter = request_.filter,
                                     .as_of = request_.as_of,
                                     .least_trust = request_.least_trust};
  KVASIR_ASSIGN_OR_RETURN(const storage::DocumentSet allowed,
                          bank_.store().Select(space_, selection));
  if (allowed.empty()) return Interleaved();
  KVASIR_ASSIGN_OR_RETURN(auto index, bank_.router_index()->Open(space_));
  KVASIR_ASSIGN_OR_RETURN(context_.tokens, frame_.Question(request_.question));
  context_.question = context_.tokens.size();
  Append(frame_.tail(), &context_.tokens);
  KVASIR_ASSIGN_OR_RETURN(const Tokens opening, frame_.AnswerOpening(request_.question));
  ending_ = frame_.end_of_retrieval();
  Append(opening, &ending_);
  if (Room() == 0) return InvalidArgument("question: too long for the model's context");

  KVASIR_ASSIGN_OR_RETURN(const auto question, bank_.answers().Borrow());
  question_ = &*question;
  RoutedMemory memory(bank_, std::move(index), space_, allowed, request_.explain);
  memory_ = &memory;
  for (std::uint32_t hop = 1; hop <= request_.max_hops; ++hop) {
    KVASIR_RETURN_IF_ERROR(Prefill());
    KVASIR_ASSIGN_OR_RETURN(Round round, GenerateNumbers());
    bool more = false;
    if (!round.numbers.empty()) {
      KVASIR_ASSIGN_OR_RETURN(more, AppendTexts(std::move(round.numbers), hop));
    }
    KVASIR_RETURN_IF_ERROR(Explain(hop));
    if (round.last || !more) break;
  }
  if (!has_run_) KVASIR_RETURN_IF_ERROR(Prefill());
  KVASIR_RETURN_IF_ERROR(question_->Append(ending_));
  Interleaved out;
  KVASIR_ASSIGN_OR_RETURN(out.answer, Reply(bank_, *question_, reply_));
  out.answer.prompt_tokens = static_cast<std::uint32_t>(context_.tokens.size() + ending_.size());
  out.reading = std::move(reading_);
  return out;
}

// Tokens that may still be appended.
std::size_t Interleaver::Room() const {
  const model::Model& model = bank_.model();
  const auto most = std::min(static_cast<std::size_t>(model.config().context_length), kMostContext);
  const std::size_t taken = model.template_head().size() +
                            static_cast<std::size_t>(model.router().top_k) +
                            context_.tokens.size() + ending_.size() + request_.max_new_tokens;
  return most > taken ? most - taken : 0;
}

Status Interleaver::Prefill() {
  if (reply_.stop_token.stop_requested()) return Cancelled("ask was stopped");
  memory_->Clear();
  const std::vector<std::uint8_t> routes = context_.Routes();
  has_run_ = true;
  const Stopwatch stopwatch(bank_.work(), WorkKind::kPrefill, context_.tokens.size());
  return question_->Prefill({.tokens = context_.tokens, .routes = routes, .memory = memory_});
}

Result<Interleaver::Round> Interleaver::GenerateNumbers() {
  std::vector<DocumentNumber> offered;
  for (const auto& [document, hit] : memory_->offered()) {
    if (!read_.contains(document)) offered.push_back(document);
  }
  Round round;
  if (offered.empty()) return round;
  model::Sampler greedy({.temperature = 0, .top_p = 1, .seed = 0});
  Tokens said;
  while (round.numbers.size() < request_.documents_per_hop && !round.last) {
    KVASIR_ASSIGN_OR_RETURN(model::NumberTrie trie, frame_.Trie(offered, !round.numbers.empty()));
    const std::size_t before = said.size();
    while (!trie.finished()) {
      const std::int32_t token = greedy.Next(question_->logits(), trie.allowed());
      trie.Advance(token);
      said.push_back(token);
      KVASIR_RETURN_IF_ERROR(question_->Append({&token, 1}));
    }
    if (trie.number() == RetrievalFrame::kEndOfNumbers) {
      said.resize(before);
      break;
    }
    if (trie.number() == RetrievalFrame::kEndOfRetrieval) {
      said.resize(before);
      round.last = true;
      break;
    }
    round.numbers.push_back(trie.number());
    std::erase(offered, trie.number());
  }
  if (round.numbers.empty()) {  // The end mark, which stands before the answer, has run already.
    ending_.erase(ending_.begin(), ending_.begin() + std::ssize(frame_.end_of_retrieval()));
    return round;
  }
  has_run_ = false;
  Append(said, &context_.tokens);
  context_.tokens.push_back(frame_.end_of_numbers());
  return round;
}

// Appends what fits, ascending; false when nothing was appended.
Result<bool> Interleaver::AppendTexts(std::vector<DocumentNumber> numbers, std::uint32_t hop) {
  std::sort(numbers.begin(), numbers.end());
  KVASIR_ASSIGN_OR_RETURN(auto documents, bank_.store().GetMany(space_, numbers));
  HopTrace trace;
  const std::size_t begin = context_.tokens.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    read_.insert(numbers[i]);
    const LatentHit& hit = memory_->offered().at(numbers[i]);
    if (!documents[i]) continue;
    auto passage = PassageOf(space_, *std::move(documents[i]), hit.segment, hit.score, hop);
    if (!passage) continue;
    KVASIR_ASSIGN_OR_RETURN(const Tokens text,
                            frame_.Passage(numbers[i], passage->title, passage->text));
    if (text.size() + 1 > Room()) continue;
    Append(text, &context_.tokens);
    trace.ids.push_back(passage->id);
    trace.scores.push_back(passage->score);
    reading_.passages.push_back(*std::move(passage));
  }
  if (trace.ids.empty()) return false;
  context_.appended_begin = begin;
  context_.appended_end = context_.tokens.size();
  context_.tokens.push_back(frame_.end_of_numbers());
  if (request_.on_event) {
    request_.on_event({.kind = AskEventKind::kHop, .text = {}, .ids = trace.ids, .hop = hop});
  }
  reading_.hops.push_back(std::move(trace));
  return true;
}

// What this round's layers selected.
Status Interleaver::Explain(std::uint32_t hop) {
  if (!request_.explain) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(const std::vector<Candidate> shown, memory_->Explain(kExplained, read_));
  return ShowHop(bank_, space_, shown, hop, &reading_);
}

}  // namespace

Result<Interleaved> Interleave(Bank& bank, storage::SpaceId space, const AskRequest& request,
                               const RetrievalFrame& frame, const ReasonerRequest& reply) {
  return Interleaver(bank, space, request, frame, reply).Run();
}

}  // namespace kvasir::agent
