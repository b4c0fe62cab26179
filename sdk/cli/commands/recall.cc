// kvasir recall: the memories that match a query.
#include <algorithm>
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

enum class Channel { kBoth, kLatent, kLexical };

struct Recall {
  std::vector<std::string> words;
  RecallRequest request;
  Channel channel = Channel::kBoth;

  Status Run(Session& session);
};

std::string Score(const std::optional<double>& score) {
  return score ? Format("{:.3f}", *score) : "–";
}

void PrintHit(std::size_t rank, const Hit& hit, Output* output) {
  constexpr std::size_t kColumns = 300;
  output->Line(Format(
      "{}  {}  {}",
      output->Bold(Format("{:2}. {}", rank, Printable(hit.title.empty() ? hit.id : hit.title))),
      output->Dim(Format("score {:.3f} (latent {}, lexical {})", hit.score, Score(hit.latent),
                         Score(hit.lexical))),
      output->Dim(Format("[{}]", Printable(hit.id)))));
  std::string text = hit.text;
  std::ranges::replace(text, '\n', ' ');
  output->Line("    " + Excerpt(text, kColumns));
  for (const LayerScore& layer : hit.layers) {
    output->Line(output->Dim(
        Format("    layer {:2}: {:.4f} at chunk {}", layer.layer, layer.score, layer.chunk)));
  }
}

Status Recall::Run(Session& session) {
  for (const std::string& word : words) request.query += (request.query.empty() ? "" : " ") + word;
  request.space = session.space();
  request.latent = channel != Channel::kLexical;
  request.lexical = channel != Channel::kLatent;
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNeeded));
  KVASIR_ASSIGN_OR_RETURN(const RecallResult found, memory->Recall(request, session.Quietly()));
  Output& output = session.output();
  if (output.json()) {
    output.Line(Dump(ToJson(found)));
  } else if (output.json_lines()) {
    for (const Hit& hit : found.hits) output.Line(Dump(ToJson(hit)));
  } else {
    for (std::size_t i = 0; i < found.hits.size(); ++i) PrintHit(i + 1, found.hits[i], &output);
    output.Note(Format("{} of {} memories in {:.1f} ms", found.hits.size(), found.candidates,
                       static_cast<double>(found.took.count()) / 1000.0));
  }
  return Status::Ok();
}

}  // namespace

Command RecallCommand() {
  auto recall = std::make_shared<Recall>();
  RecallRequest& request = recall->request;
  Command command;
  command.name = "recall";
  command.summary = "Find the memories that match a query";
  command.arguments = {"QUERY", "what to look for", &recall->words, 1, 1 << 16};
  command.options = {
      {"top-k", "N", "hits at most", ToCount<std::uint32_t>(&request.top_k, 1, 1000),
       OptionKind::kValue, "10"},
      {"session", "NAME", "only memories of this session", ToText(&request.session)},
      {"filter", "JSON", "only memories that match, as {\"topic\":\"home\"}",
       ToFilter(&request.filter)},
      {"threshold", "SCORE", "leave out lower scores", ToNumber(&request.threshold, 0, 1),
       OptionKind::kValue, "0"},
      {"as-of", "TIME", "only what was valid then", ToTime(&request.as_of)},
      {"hops", "N", "route again with what was found", ToCount<std::uint32_t>(&request.hops, 1, 4),
       OptionKind::kValue, "1"},
      {"channel", "NAME", "both, latent or lexical",
       ToChoice<Channel>(&recall->channel, {{"both", Channel::kBoth},
                                            {"latent", Channel::kLatent},
                                            {"lexical", Channel::kLexical}}),
       OptionKind::kValue, "both"},
      {"explain", "", "show each layer's score", ToSwitch(&request.explain), OptionKind::kSwitch},
      {"exact", "", "read every router key, not sketches first", ToSwitch(&request.exact),
       OptionKind::kSwitch},
  };
  command.run = [recall](Session& session) { return recall->Run(session); };
  return command;
}

}  // namespace kvasir::cli
