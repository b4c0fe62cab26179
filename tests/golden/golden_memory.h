// A memory of golden documents, routed by the product's index: what the agent is to a Question.
#ifndef KVASIR_TESTS_GOLDEN_GOLDEN_MEMORY_H_
#define KVASIR_TESTS_GOLDEN_GOLDEN_MEMORY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "compute/route.h"
#include "model/encoder.h"
#include "model/question.h"
#include "tests/golden/variant.h"

namespace kvasir::model {

/// What routing did in one layer.
struct Routed {
  std::vector<std::uint64_t> selected;  ///< Best first.
  std::vector<float> selected_scores;
  std::vector<float> document_scores;  ///< In order of the memory.
  std::vector<float> chunk_scores;
};

class GoldenMemory final : public MemoryProvider {
 public:
  /// Encodes `documents` (numbers of the variant's) with the product's encoder.
  GoldenMemory(const Variant& variant, std::vector<std::uint64_t> documents);

  Status Select(const RouterQuery& query, std::vector<MemoryBlock>& blocks) override;
  const Routed& routed(std::int32_t layer) const { return routed_.at(layer); }

 private:
  std::shared_ptr<const Model> model_;
  std::vector<std::uint64_t> documents_;
  std::map<std::uint64_t, EncodedSegment> segments_;
  std::unique_ptr<compute::RouteIndex> by_document_;
  std::unique_ptr<compute::RouteIndex> by_chunk_;  // Every chunk an entry by itself.
  std::map<std::int32_t, Routed> routed_;
};

/// An index over router keys as they are, in float32.
std::unique_ptr<compute::RouteIndex> MakeIndex(std::int64_t layers, std::int64_t dim);

}  // namespace kvasir::model

#endif  // KVASIR_TESTS_GOLDEN_GOLDEN_MEMORY_H_
