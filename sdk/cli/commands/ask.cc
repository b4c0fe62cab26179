// kvasir ask: an answer from the memories, with citations.
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/reasoner_flags.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

struct Ask {
  std::vector<std::string> words;
  AskRequest request;
  double temperature = 0;
  double top_p = 1;
  ReasonerFlags reasoner;

  Status Run(Session& session);
};

/// What a person or a script sees while the answer grows.
void ShowEvent(const AskEvent& event, Output* output) {
  if (output->json_lines()) {
    output->Line(Dump(ToJson(event)));
  } else if (output->human() && event.kind == AskEventKind::kToken) {
    output->Piece(Printable(event.text));
  } else if (output->human() && event.kind == AskEventKind::kHop) {
    std::string ids;
    for (const std::string& id : event.ids) ids += (ids.empty() ? "" : ", ") + Printable(id);
    output->Note(Format("hop {}: {}", event.hop, ids));
  }
}

void PrintSources(const AskResult& answer, Output* output) {
  output->Line("");
  for (std::size_t i = 0; i < answer.citations.size(); ++i) {
    const Citation& citation = answer.citations[i];
    output->Line(output->Dim(Format(
        "[{}] {}: {}", i + 1, Printable(citation.title.empty() ? citation.id : citation.title),
        Excerpt(citation.text, 80))));
  }
  output->Note(Format("{} prompt and {} new tokens, reasoner: {}", answer.prompt_tokens,
                      answer.new_tokens, answer.reasoner));
}

Status Ask::Run(Session& session) {
  for (const std::string& word : words) {
    request.question += (request.question.empty() ? "" : " ") + word;
  }
  request.space = session.space();
  request.temperature = static_cast<float>(temperature);
  request.top_p = static_cast<float>(top_p);
  Output& output = session.output();
  request.on_event = [&](const AskEvent& event) { ShowEvent(event, &output); };
  session.SetReasoner(reasoner.url, reasoner.model, reasoner.key_file);
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNeeded));
  KVASIR_ASSIGN_OR_RETURN(const AskResult answer, memory->Ask(request, session.Quietly()));
  if (output.json()) {
    output.Line(Dump(ToJson(answer)));
  } else if (output.json_lines()) {
    Json done = {{"event", "done"}};
    done.update(ToJson(answer));
    output.Line(Dump(done));
  } else {
    PrintSources(answer, &output);
  }
  return Status::Ok();
}

}  // namespace

Command AskCommand() {
  auto ask = std::make_shared<Ask>();
  AskRequest& request = ask->request;
  Command command;
  command.name = "ask";
  command.summary = "Answer a question from the memories";
  command.arguments = {"QUESTION", "what to answer", &ask->words, 1, 1 << 16};
  command.options = {
      {"session", "NAME", "only memories of this session", ToText(&request.session)},
      {"filter", "JSON", "only memories that match", ToFilter(&request.filter)},
      {"as-of", "TIME", "only what was valid then", ToTime(&request.as_of)},
      {"max-hops", "N", "rounds of routing at most",
       ToCount<std::uint32_t>(&request.max_hops, 1, 8), OptionKind::kValue, "2"},
      {"documents-per-hop", "N", "texts read in each round",
       ToCount<std::uint32_t>(&request.documents_per_hop, 1, 16), OptionKind::kValue, "4"},
      {"max-new-tokens", "N", "length of the answer at most",
       ToCount<std::uint32_t>(&request.max_new_tokens, 1, 2048), OptionKind::kValue, "128"},
      {"temperature", "T", "0 is greedy", ToNumber(&ask->temperature, 0, 10), OptionKind::kValue,
       "0"},
      {"top-p", "P", "nucleus to sample from", ToNumber(&ask->top_p, 0, 1), OptionKind::kValue,
       "1"},
      {"seed", "N", "of the sampler", ToCount<std::uint64_t>(&request.seed, 0), OptionKind::kValue,
       "0"},
      {"stop", "TEXT", "end the answer there", ToTexts(&request.stop), OptionKind::kRepeated},
      {"no-latent-memory", "", "read the texts only, not their keys and values",
       ToFlipped(&request.latent_memory), OptionKind::kSwitch},
      {"least-trust", "TIER", "untrusted, user or operator",
       ToChoice<Trust>(&request.least_trust, {{"untrusted", Trust::kUntrusted},
                                              {"user", Trust::kUser},
                                              {"operator", Trust::kOperator}}),
       OptionKind::kValue, "untrusted"},
  };
  AddReasonerOptions(&ask->reasoner, &command.options);
  command.run = [ask](Session& session) { return ask->Run(session); };
  return command;
}

}  // namespace kvasir::cli
