// All combinations of the three reductions, through the product's queries and its index.
#include <string>

#include "compute/route.h"
#include "model/router.h"
#include "tests/golden/golden_memory.h"
#include "tests/golden/variant.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

class ScoringGolden : public Golden {
 protected:
  /// Documents' scores of `name` in `layer` as `spec` reduces them.
  std::vector<float> Score(const std::string& name, std::int32_t layer, const RouterSpec& spec);
};

std::vector<float> ScoringGolden::Score(const std::string& name, std::int32_t layer,
                                        const RouterSpec& spec) {
  const json& facts = variant().facts()["cases"][name];
  std::vector<std::uint8_t> routes;
  for (const json& mark : facts["doc_ids"]) routes.push_back(mark == 0 ? 1 : 0);
  const std::string prefix = "layer" + std::to_string(layer);
  // The golden queries are unit vectors and scaled already.
  RouterSpec finished = spec;
  finished.cosine = false;
  finished.query_scale = 1;
  const std::vector<float> heads =
      variant().HeadRows(name + "." + prefix + ".router_query", 0, std::ssize(routes));
  const RouterQuery query = FormQuery(finished, layer, heads, routes);

  auto index = MakeIndex(1, spec.dim());
  for (const json& number : facts["memory"]) {
    const json& document = variant().facts()["documents"][number.get<std::size_t>()];
    const std::vector<float> keys =
        variant().HeadRows(prefix + ".router_key", document["first_chunk"], document["chunks"]);
    compute::RouteEntry entry;
    entry.id = number;
    entry.chunks = document["chunks"];
    entry.keys = keys;
    EXPECT_TRUE(index->Append(entry).ok());
  }
  std::vector<float> scores(index->Ordinals());
  compute::RouteQuery route;
  route.queries = query.vectors;
  route.chunk_reduce = spec.chunk_reduce;
  route.threads = 1;
  if (spec.folds()) {
    EXPECT_TRUE(index->Scan(route, scores).ok());
    return scores;
  }
  route.query_reduce = spec.query_reduce;
  const compute::RouteHeads shape{.heads = spec.query_heads,
                                  .kv_heads = spec.key_heads,
                                  .head_dim = spec.head_dim,
                                  .reduce = spec.head_reduce};
  EXPECT_TRUE(index->ScanGeneral(route, shape, scores).ok());
  return scores;
}

TEST_P(ScoringGolden, EveryCombinationOfReductions) {
  const std::pair<const char*, compute::HeadReduce> head_ways[] = {
      {"mean", compute::HeadReduce::kMean}, {"max", compute::HeadReduce::kMax}};
  const std::pair<const char*, compute::QueryReduce> query_ways[] = {
      {"max", compute::QueryReduce::kMax},
      {"mean", compute::QueryReduce::kMean},
      {"last", compute::QueryReduce::kLast}};
  const std::pair<const char*, compute::ChunkReduce> chunk_ways[] = {
      {"max", compute::ChunkReduce::kMax}, {"mean", compute::ChunkReduce::kMean}};
  std::size_t compared = 0;
  for (const auto& [name, facts] : variant().facts()["cases"].items()) {
    for (const std::int32_t layer : model().router().layers) {
      for (const auto& [head, head_reduce] : head_ways) {
        for (const auto& [query, query_reduce] : query_ways) {
          for (const auto& [chunk, chunk_reduce] : chunk_ways) {
            const std::string tensor = name + ".layer" + std::to_string(layer) + ".head_" + head +
                                       ".query_" + query + ".chunk_" + chunk;
            if (!variant().Has(tensor)) continue;
            RouterSpec spec = model().router();
            spec.head_reduce = head_reduce;
            spec.query_reduce = query_reduce;
            spec.chunk_reduce = chunk_reduce;
            ExpectClose(Score(name, layer, spec), variant().Tensor(tensor).values, tensor);
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_EQ(compared, variant().Names(".head_").size());
}

INSTANTIATE_TEST_SUITE_P(Msa, ScoringGolden, kEveryVariantAndBackend, GoldenName);

}  // namespace
}  // namespace kvasir::model
