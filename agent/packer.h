// From what the encoder gives to what the store keeps, and back to what routing and attention read.
#ifndef KVASIR_AGENT_PACKER_H_
#define KVASIR_AGENT_PACKER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kvasir/memory.h"
#include "kvasir/status.h"
#include "model/encoder.h"
#include "model/model.h"
#include "storage/segment.h"

namespace kvasir::agent {

/// A segment's two unsealed records (docs/adr/0004).
struct PackedSegment {
  std::string router;
  std::string kv;
};

/// Packs with one scale per vector (kInt8), or as bf16 or float32. kInternal when the model gave
/// numbers that are not finite. Cost: one pass. Thread-safe.
Result<PackedSegment> PackSegment(const model::EncodedSegment& segment, Quantiser quantiser,
                                  const model::Model& model);

/// Pooled keys and values of one layer of a segment, [chunks, key_value_dim] each.
struct LayerMemory {
  std::vector<float> keys;
  std::vector<float> values;
};

/// One layer of a KV record as float32; `layer_index` < kv.layers().size().
Status UnpackMemory(const storage::SegmentView& kv, std::size_t layer_index, LayerMemory* memory);

/// The router keys of a router record as the index takes them: int8, layers outermost.
struct RouterCodes {
  std::vector<std::int8_t> codes;  ///< [layers, chunks, dim]
  std::vector<float> scales;       ///< [layers, chunks]
};
Result<RouterCodes> UnpackRouterKeys(const storage::SegmentView& router);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_PACKER_H_
