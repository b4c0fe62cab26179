#include "agent/ask.h"

#include <memory>
#include <string>
#include <utility>

#include "agent/citation.h"
#include "agent/framing.h"
#include "agent/interleave.h"
#include "agent/latent_memory.h"
#include "agent/local_reasoner.h"
#include "agent/prompt.h"
#include "agent/quote.h"
#include "agent/reading.h"
#include "agent/retrieval_frame.h"
#include "agent/routed_memory.h"
#include "agent/segmenter.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

// Somebody else's context is not known; every model served today takes this much.
constexpr std::size_t kRemoteBytes = std::size_t{24} << 10;

Status Between(const char* field, std::uint32_t value, std::uint32_t low, std::uint32_t high) {
  if (value >= low && value <= high) return Status::Ok();
  return InvalidArgument(std::string(field) + ": must be " + std::to_string(low) + " to " +
                         std::to_string(high) + ", is " + std::to_string(value));
}

Status Check(const AskRequest& request) {
  if (Trimmed(request.question).empty()) return InvalidArgument("question: empty");
  KVASIR_RETURN_IF_ERROR(model::ValidateUtf8(request.question).WithContext("question"));
  KVASIR_RETURN_IF_ERROR(Between("max_hops", request.max_hops, 1, 8));
  KVASIR_RETURN_IF_ERROR(Between("documents_per_hop", request.documents_per_hop, 1, 16));
  KVASIR_RETURN_IF_ERROR(Between("max_new_tokens", request.max_new_tokens, 1, 2048));
  if (!(request.temperature >= 0 && request.temperature <= 10)) {
    return InvalidArgument("temperature: must be 0 to 10");
  }
  if (!(request.top_p > 0 && request.top_p <= 1)) {
    return InvalidArgument("top_p: must be above 0, at most 1");
  }
  return Status::Ok();
}

Result<std::size_t> CountBytes(const std::vector<ReasonerMessage>& messages) {
  std::size_t bytes = 0;
  for (const ReasonerMessage& message : messages) bytes += message.content.size();
  return bytes;
}

ReasonerRequest RequestOf(const AskRequest& request, std::vector<ReasonerMessage> messages,
                          const std::stop_token& stop) {
  ReasonerRequest asked;
  asked.messages = std::move(messages);
  asked.max_new_tokens = request.max_new_tokens;
  asked.temperature = request.temperature;
  asked.top_p = request.top_p;
  asked.seed = request.seed;
  asked.stop = request.stop;
  asked.stop_token = stop;
  if (request.on_event) {
    asked.on_text = [&request](std::string_view piece) {
      request.on_event({.kind = AskEventKind::kToken, .text = piece, .ids = {}, .hop = 0});
    };
  }
  return asked;
}

Result<ReasonerAnswer> AnswerRemotely(const Reasoner& reasoner, const AskRequest& request,
                                      std::vector<Passage>* passages, const std::stop_token& stop) {
  KVASIR_ASSIGN_OR_RETURN(auto messages,
                          MakePrompt(request.question, passages, kRemoteBytes, CountBytes));
  return reasoner.Answer(RequestOf(request, std::move(messages), stop));
}

/// The pooled keys and values that the local model attends to; null when it shall not.
Result<std::unique_ptr<model::MemoryProvider>> MemoryOf(Bank& bank, storage::SpaceId space,
                                                        const AskRequest& request,
                                                        const Reading& reading,
                                                        const std::stop_token& stop) {
  std::unique_ptr<model::MemoryProvider> memory;
  if (!request.latent_memory) return memory;
  if (RoutesAsPublished(bank.model())) {
    KVASIR_ASSIGN_OR_RETURN(auto index, bank.router_index()->Open(space));
    memory = std::make_unique<RoutedMemory>(bank, std::move(index), space, reading.allowed);
  } else {
    memory = std::make_unique<LatentMemory>(bank.kv_pages(), reading.passages, stop);
  }
  return memory;
}

Result<ReasonerAnswer> AnswerFromMemory(Bank& bank, storage::SpaceId space,
                                        const AskRequest& request, Reading* reading,
                                        const std::stop_token& stop) {
  const auto count = [&](const std::vector<ReasonerMessage>& messages) {
    return CountLocally(bank, messages);
  };
  KVASIR_ASSIGN_OR_RETURN(auto messages,
                          MakePrompt(request.question, &reading->passages,
                                     LocalBudget(bank, request.max_new_tokens), count));
  KVASIR_ASSIGN_OR_RETURN(const auto memory, MemoryOf(bank, space, request, *reading, stop));
  ReasonerRequest asked = RequestOf(request, std::move(messages), stop);
  // It was told to answer in one sentence; what a small model writes below that is no answer.
  if (asked.stop.empty()) asked.stop = {"\n\n"};
  KVASIR_ASSIGN_OR_RETURN(ReasonerAnswer answer, AnswerLocally(bank, asked, memory.get()));
  if (!request.stop.empty()) return answer;
  std::string rest;
  if (LeavesUnsaid(answer.text)) {
    rest = (answer.text.empty() ? "" : " ") + Quote(request.question, reading->passages);
  } else if (answer.text + "." == kNotInMemory) {
    rest = ".";  // Callers compare.
  }
  answer.text += rest;
  if (asked.on_text && !rest.empty()) asked.on_text(rest);
  return answer;
}

void ReportCitations(const AskRequest& request, const std::vector<Citation>& citations) {
  if (!request.on_event) return;
  for (const Citation& citation : citations) {
    request.on_event({.kind = AskEventKind::kCitation, .text = {}, .ids = {citation.id}, .hop = 0});
  }
}

AskResult SayNotInMemory(const AskRequest& request, Reading reading, std::string reasoner) {
  if (request.on_event) {
    request.on_event({.kind = AskEventKind::kToken, .text = kNotInMemory, .ids = {}, .hop = 0});
  }
  AskResult result;
  result.text = kNotInMemory;
  result.hops = std::move(reading.hops);
  result.reasoner = std::move(reasoner);
  return result;
}

AskResult Finish(const AskRequest& request, Reading reading, ReasonerAnswer answer) {
  AskResult result;
  result.text = std::move(answer.text);
  result.hops = std::move(reading.hops);
  result.prompt_tokens = answer.prompt_tokens;
  result.new_tokens = answer.new_tokens;
  result.reasoner = std::move(answer.model);
  result.citations = Cite(result.text, request.question, reading.passages);
  ReportCitations(request, result.citations);
  return result;
}

Result<AskResult> AskRemotely(Bank& bank, storage::SpaceId space, const AskRequest& request,
                              const std::stop_token& stop) {
  // Before the memories are read: a wrong URL or key is told at once.
  KVASIR_ASSIGN_OR_RETURN(const auto reasoner, Reasoner::Make(*bank.options().reasoner));
  KVASIR_ASSIGN_OR_RETURN(Reading reading, Read(bank, space, request, stop));
  if (reading.passages.empty()) {
    return SayNotInMemory(request, std::move(reading), reasoner->model());
  }
  KVASIR_ASSIGN_OR_RETURN(ReasonerAnswer answer,
                          AnswerRemotely(*reasoner, request, &reading.passages, stop));
  return Finish(request, std::move(reading), std::move(answer));
}

Result<AskResult> AskLocally(Bank& bank, storage::SpaceId space, const AskRequest& request,
                             const std::stop_token& stop) {
  KVASIR_ASSIGN_OR_RETURN(const auto frame, RetrievalFrame::Make(bank.model(), bank.framing()));
  if (frame && request.latent_memory) {
    KVASIR_ASSIGN_OR_RETURN(Interleaved interleaved,
                            Interleave(bank, space, request, *frame, RequestOf(request, {}, stop)));
    if (interleaved.answer.prompt_tokens == 0) return SayNotInMemory(request, {}, "local");
    return Finish(request, std::move(interleaved.reading), std::move(interleaved.answer));
  }
  KVASIR_ASSIGN_OR_RETURN(Reading reading, Read(bank, space, request, stop));
  if (reading.passages.empty()) return SayNotInMemory(request, std::move(reading), "local");
  KVASIR_ASSIGN_OR_RETURN(ReasonerAnswer answer,
                          AnswerFromMemory(bank, space, request, &reading, stop));
  return Finish(request, std::move(reading), std::move(answer));
}

}  // namespace

Result<AskResult> Ask(Bank& bank, const AskRequest& request, const CallOptions& options) {
  KVASIR_RETURN_IF_ERROR(Check(request));
  KVASIR_RETURN_IF_ERROR(bank.NeedModel());
  KVASIR_ASSIGN_OR_RETURN(const storage::SpaceId space, bank.store().FindSpace(request.space));
  return bank.options().reasoner ? AskRemotely(bank, space, request, options.stop)
                                 : AskLocally(bank, space, request, options.stop);
}

}  // namespace kvasir::agent
