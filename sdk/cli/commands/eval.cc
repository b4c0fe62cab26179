// kvasir eval: how well recall finds the gold memories of questions, per channel and fused.
#include <array>
#include <fstream>
#include <memory>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/eval_metrics.h"
#include "sdk/cli/format.h"
#include "sdk/cli/ingest.h"
#include "sdk/cli/json.h"
#include "sdk/cli/progress.h"
#include "sdk/cli/question_row.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

struct Channel {
  const char* name;
  bool latent;
  bool lexical;
};
constexpr std::array<Channel, 3> kChannels = {
    {{"fused", true, true}, {"latent", true, false}, {"lexical", false, true}}};

struct Eval {
  std::string corpus;
  std::string questions;
  std::size_t limit = 0;
  std::uint32_t hops = 1;
  std::string channel = "all";

  Status Run(Session& session);
  Status RememberCorpus(Memory* memory, Session& session) const;
  Result<EvalSums> Measure(Memory* memory, const Channel& channel,
                           const std::vector<QuestionRow>& rows, Session& session) const;
};

/// Calls `use` with the stream of a file, or of standard input for "-".
template <typename Use>
auto WithInput(const std::string& path, const Session& session, Use use)
    -> decltype(use(nullptr, path)) {
  if (path == "-") return use(session.host().in, "standard input");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return NotFound(path + ": cannot be read");
  return use(&stream, path);
}

Status Eval::RememberCorpus(Memory* memory, Session& session) const {
  std::error_code no_size;
  const auto bytes = corpus == "-" ? 0 : std::filesystem::file_size(corpus, no_size);
  // The receipts are not this command's data.
  Output notes(session.host(), OutputFormat::kHuman, session.settings().quiet);
  Ingest ingest(memory, &notes, session.stop(), no_size ? 0 : bytes);
  ingest.set_summary_is_note();
  RememberRequest defaults;
  defaults.space = session.space();
  defaults.provenance.channel = "import";
  KVASIR_RETURN_IF_ERROR(
      WithInput(corpus, session, [&](std::istream* stream, const std::string& name) -> Status {
        // What stopped the rows is what Finish() says.
        (void)ingest.AddJsonLines(stream, name, defaults).ok();
        Status finished = ingest.Finish();
        // Rows without a text were named one by one; the questions are asked of the others.
        const bool some_rows_are_bad =
            finished.code() == StatusCode::kInvalidArgument && ingest.memories() > 0;
        if (!some_rows_are_bad) return finished;
        session.output().Note(finished.message());
        return Status::Ok();
      }));
  return ingest.memories() > 0 ? Status::Ok() : InvalidArgument(corpus + ": holds no rows");
}

Result<EvalSums> Eval::Measure(Memory* memory, const Channel& on,
                               const std::vector<QuestionRow>& rows, Session& session) const {
  using Clock = std::chrono::steady_clock;
  ProgressBar bar(session.output(), on.name, rows.size(), ProgressUnit::kItems);
  EvalSums sums;
  RecallRequest request;
  request.space = session.space();
  request.top_k = kEvalDepth;
  request.hops = hops;
  request.latent = on.latent;
  request.lexical = on.lexical;
  for (const QuestionRow& row : rows) {
    request.query = row.question;
    const Clock::time_point start = Clock::now();
    auto found = memory->Recall(request, session.Quietly());
    const Clock::duration took = Clock::now() - start;
    if (!found.ok()) return found.status().WithContext(Format("question '{}'", row.question));
    std::vector<std::string> ranked;
    ranked.reserve(found->hits.size());
    for (const Hit& hit : found->hits) ranked.push_back(hit.id);
    sums.Add(ranked, row.gold, took);
    bar.Show(sums.questions());
  }
  return sums;
}

Json ToJson(const EvalMetrics& means) {
  return {{"r@1", means.recall_at_1},
          {"r@5", means.recall_at_5},
          {"r@10", means.recall_at_10},
          {"mrr", means.mrr},
          {"ndcg@10", means.ndcg_at_10},
          {"all_gold@10", means.all_gold_at_10},
          {"ms_per_question", means.ms_per_question}};
}

Status Eval::Run(Session& session) {
  if (questions.empty()) return InvalidArgument("--questions is missing");
  const bool own_store = session.GivenAsFlag("store");
  if (corpus.empty() && !own_store) return InvalidArgument("--corpus is missing");
  if (corpus == "-" && questions == "-") return InvalidArgument("only one of both can be '-'");
  KVASIR_ASSIGN_OR_RETURN(
      const std::vector<QuestionRow> rows,
      WithInput(
          questions, session,
          [&](std::istream* stream, const std::string& name) -> Result<std::vector<QuestionRow>> {
            return ReadQuestions(stream, name, limit);
          }));
  KVASIR_ASSIGN_OR_RETURN(auto memory, own_store ? session.Open(Access::kCreate, Model::kNeeded)
                                                 : session.OpenTemporary());
  if (!corpus.empty()) KVASIR_RETURN_IF_ERROR(RememberCorpus(memory.get(), session));

  Output& output = session.output();
  Json report = Json::object();
  if (output.human()) {
    output.Line(Format("{:8} {:>6} {:>6} {:>6} {:>6} {:>8} {:>12} {:>12}", "", "R@1", "R@5", "R@10",
                       "MRR", "nDCG@10", "all-gold@10", "ms/question"));
  }
  for (const Channel& on : kChannels) {
    if (channel != "all" && channel != on.name) continue;
    KVASIR_ASSIGN_OR_RETURN(const EvalSums sums, Measure(memory.get(), on, rows, session));
    const EvalMetrics m = sums.Means();
    report[on.name] = ToJson(m);
    if (!output.human()) continue;
    output.Line(Format("{:8} {:6.3f} {:6.3f} {:6.3f} {:6.3f} {:8.3f} {:12.3f} {:12.1f}", on.name,
                       m.recall_at_1, m.recall_at_5, m.recall_at_10, m.mrr, m.ndcg_at_10,
                       m.all_gold_at_10, m.ms_per_question));
  }
  report["questions"] = rows.size();
  report["hops"] = hops;
  if (!output.human()) output.Line(Dump(report));
  output.Note(Format("{} questions", rows.size()));
  return Status::Ok();
}

}  // namespace

Command EvalCommand() {
  auto eval = std::make_shared<Eval>();
  Command command;
  command.name = "eval";
  command.summary = "Measure recall on questions with known answers";
  command.options = {
      {"corpus", "FILE", "rows {\"id\",\"title\",\"text\"}, - for standard input",
       ToText(&eval->corpus)},
      {"questions", "FILE", "rows {\"question\",\"positives\":[{\"id\"}]}",
       ToText(&eval->questions)},
      {"limit", "N", "only the first N questions, 0: all", ToCount<std::size_t>(&eval->limit, 0),
       OptionKind::kValue, "0"},
      {"hops", "N", "rounds of routing", ToCount<std::uint32_t>(&eval->hops, 1, 4),
       OptionKind::kValue, "1"},
      {"channel", "NAME", "all, fused, latent or lexical",
       ToChoice<std::string>(
           &eval->channel,
           {{"all", "all"}, {"fused", "fused"}, {"latent", "latent"}, {"lexical", "lexical"}}),
       OptionKind::kValue, "all"},
  };
  command.run = [eval](Session& session) { return eval->Run(session); };
  return command;
}

}  // namespace kvasir::cli
