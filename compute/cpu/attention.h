// Attention of a packed batch: plans tiles, hands them to threads.
#ifndef KVASIR_COMPUTE_CPU_ATTENTION_H_
#define KVASIR_COMPUTE_CPU_ATTENTION_H_

#include <cstdint>
#include <span>

#include "compute/backend.h"
#include "compute/cpu/growing_array.h"
#include "compute/cpu/kernels.h"
#include "kvasir/status.h"

namespace kvasir::compute::cpu {

struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  float scale = 1;
};

/// One per stream: keeps its workspace between calls. Keys and values are never put together: a
/// list of row pointers strings the memory blocks and the sequence's own rows into one run per
/// key-value head. Many query rows share keys packed for them once; few read them where they are.
class Attention {
 public:
  Attention(const Kernels& kernels, int threads) : kernels_(kernels), threads_(threads) {}

  /// See Stream::Attention.
  Status Run(ConstRows q, std::span<const AttentionSequence> sequences, const AttentionShape& shape,
             Rows out);

 private:
  /// Where a sequence's pointers and tiles lie.
  struct Place {
    std::int64_t first_key;  ///< Into keys_ and values_, times kv_heads.
    std::int64_t keys;
    std::int64_t first_tile;  ///< Into tiles_, times kv_heads; -1: not packed.
    std::int64_t first_task;  ///< Of its query tiles over all key-value heads.
  };
  struct Totals {
    std::int64_t keys = 0;
    std::int64_t tiles = 0;
    std::int64_t tasks = 0;
    std::int64_t products = 0;
  };

  Totals Plan(std::span<const AttentionSequence> sequences, const AttentionShape& shape);
  void ListKeys(const AttentionSequence& sequence, const Place& place, const AttentionShape& shape);
  void PackTile(const Place& place, const AttentionShape& shape, std::int64_t tile);
  void RunTask(ConstRows q, const AttentionSequence& sequence, const Place& place,
               const AttentionShape& shape, std::int64_t task, float* workspace, Rows out);

  const Kernels& kernels_;
  int threads_;
  GrowingArray<Place> places_;
  GrowingArray<const float*> keys_;
  GrowingArray<const float*> values_;
  GrowingArray<float> tiles_;
  GrowingArray<float> rows_;  ///< Per thread: a tile of queries, and one of results.
};

}  // namespace kvasir::compute::cpu

#endif  // KVASIR_COMPUTE_CPU_ATTENTION_H_
