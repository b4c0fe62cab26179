// Router records made by hand, for tests of the latent channel.
#ifndef KVASIR_TESTS_UNIT_AGENT_ROUTER_RECORD_H_
#define KVASIR_TESTS_UNIT_AGENT_ROUTER_RECORD_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compute/quantise.h"
#include "storage/segment.h"

namespace kvasir::agent {

/// One segment whose keys are `keys` [layers, chunks, dim]; unsealed.
inline std::string RouterRecord(const std::vector<std::uint32_t>& layers, std::int64_t dim,
                                std::span<const float> keys, Quantiser quantiser = Quantiser::kInt8,
                                const storage::ModelFingerprint& model = {}) {
  const std::size_t per_layer = keys.size() / layers.size();
  const auto chunks = static_cast<std::uint32_t>(per_layer / static_cast<std::size_t>(dim));
  const bool int8 = quantiser == Quantiser::kInt8;
  const storage::SegmentShape shape{.quantiser = quantiser,
                                    .layers = layers,
                                    .chunks = chunks,
                                    .tokens = chunks * 64,
                                    .vector_length = static_cast<std::uint32_t>(dim),
                                    .scales_per_vector = int8 ? 1U : 0U};
  auto builder = storage::SegmentBuilder::Create(storage::SegmentKind::kRouter, model, shape);
  EXPECT_TRUE(builder.ok()) << builder.status().message();
  const auto type = int8 ? compute::TensorType::kI8 : compute::TensorType::kBF16;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    EXPECT_TRUE(compute::PackRows(type, keys.subspan(layer * per_layer, per_layer), dim,
                                  builder->Codes(layer, storage::SegmentPart::kRouterKeys),
                                  builder->Scales(layer, storage::SegmentPart::kRouterKeys))
                    .ok());
  }
  return std::move(*builder).Finish();
}

}  // namespace kvasir::agent

#endif  // KVASIR_TESTS_UNIT_AGENT_ROUTER_RECORD_H_
