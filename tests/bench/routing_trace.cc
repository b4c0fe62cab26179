// routing_trace STORE MODEL ADAPTER < QUESTIONS > TRACE: which segments each routed layer chooses
// for each question, for cache_bench.
//
// In: rows {"question", …}. Out, one line for each question and routed layer, in order:
//   LAYER DOCUMENT:SEGMENT DOCUMENT:SEGMENT …
// LAYER counts from 0; kChoices segments, best first, of which a model attends to the first 16. The
// store must have been made with this model and adapter; its default space is asked.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/framing.h"
#include "agent/packer.h"
#include "compute/backend.h"
#include "compute/route.h"
#include "model/model.h"
#include "model/question.h"
#include "storage/store.h"

namespace kvasir {
namespace {

constexpr std::int64_t kChoices = 32;  // The 16 that are read, and as many that were close.
constexpr int kSegmentBits = 20;

struct Asked {
  std::shared_ptr<const model::Model> model;
  std::unique_ptr<compute::RouteIndex> index;
  std::unique_ptr<model::Question> question;
  std::optional<agent::Framing> framing;
};

Result<std::unique_ptr<compute::RouteIndex>> LoadIndex(const storage::Store& store,
                                                       const model::RouterSpec& spec) {
  KVASIR_ASSIGN_OR_RETURN(auto index, compute::RouteIndex::Make(
                                          {.layers = static_cast<std::int64_t>(spec.layers.size()),
                                           .dim = spec.dim(),
                                           .keys = compute::RouteKeys::kInt8}));
  KVASIR_ASSIGN_OR_RETURN(const auto space, store.FindSpace("default"));
  Status appended;
  const auto visit = [&](const storage::SegmentView& router) {
    const auto codes = agent::UnpackRouterKeys(router);
    if (!codes.ok()) {
      appended = codes.status();
      return false;
    }
    appended = index
                   ->Append({.id = router.key().document << kSegmentBits | router.key().segment,
                             .chunks = router.chunks(),
                             .codes = codes->codes,
                             .scales = codes->scales,
                             .keys = {}})
                   .status();
    return appended.ok();
  };
  KVASIR_RETURN_IF_ERROR(store.ScanRouter(space, visit).status());
  KVASIR_RETURN_IF_ERROR(appended);
  return index;
}

Status Record(const Asked& asked, const std::string& text) {
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence tokens, asked.framing->Question(text));
  if (tokens.empty()) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(const auto queries, asked.question->Route(tokens));
  const model::RouterSpec& spec = asked.model->router();
  std::vector<float> scores(asked.index->Ordinals());
  std::vector<compute::RouteHit> hits;
  for (std::size_t layer = 0; layer < queries.size(); ++layer) {
    compute::RouteQuery query;
    query.layer = static_cast<std::int64_t>(layer);
    query.queries = queries[layer].vectors;
    query.query_reduce = compute::QueryReduce::kMax;
    query.chunk_reduce = spec.chunk_reduce;
    KVASIR_RETURN_IF_ERROR(asked.index->Scan(query, scores));
    asked.index->TopK(scores, kChoices, nullptr, &hits);
    std::cout << layer;
    for (const compute::RouteHit& hit : hits) {
      std::cout << ' ' << (hit.id >> kSegmentBits) << ':'
                << (hit.id & ((std::uint64_t{1} << kSegmentBits) - 1));
    }
    std::cout << '\n';
  }
  return Status::Ok();
}

Status Run(const std::string& store_path, const std::string& model_path,
           const std::string& adapter) {
  Asked asked;
  KVASIR_ASSIGN_OR_RETURN(auto backend, compute::MakeBackend({}));
  KVASIR_ASSIGN_OR_RETURN(asked.model,
                          model::Model::Load(model_path, std::move(backend),
                                             {.adapter = adapter, .template_head = {}}));
  if (!asked.model->router().folds()) return InvalidArgument("the model routes head by head");
  storage::StoreOptions options;
  options.read_only = true;
  options.model = storage::ModelIdentity{asked.model->fingerprint(), model_path};
  KVASIR_ASSIGN_OR_RETURN(const auto store, storage::Store::Open(store_path, options));
  KVASIR_ASSIGN_OR_RETURN(asked.index, LoadIndex(*store, asked.model->router()));
  KVASIR_ASSIGN_OR_RETURN(asked.question, model::Question::Make(asked.model));
  KVASIR_ASSIGN_OR_RETURN(asked.framing, agent::Framing::Make(*asked.model));
  for (std::string line; std::getline(std::cin, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object()) return InvalidArgument("a row of standard input is no JSON object");
    KVASIR_RETURN_IF_ERROR(Record(asked, row.value("question", "")));
  }
  return Status::Ok();
}

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: routing_trace STORE MODEL ADAPTER < QUESTIONS > TRACE\n");
    return 2;
  }
  const kvasir::Status status = kvasir::Run(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "routing_trace: %s\n", status.message().c_str());
  return 1;
}
