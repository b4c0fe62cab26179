#include "agent/packer.h"

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "compute/quantise.h"

namespace kvasir::agent {
namespace {

using compute::TensorType;
using storage::SegmentBuilder;
using storage::SegmentKind;
using storage::SegmentPart;
using storage::SegmentShape;
using storage::SegmentView;

TensorType CodeType(Quantiser quantiser) {
  switch (quantiser) {
    case Quantiser::kInt8:
      return TensorType::kI8;
    case Quantiser::kBf16:
      return TensorType::kBF16;
    case Quantiser::kF32:
      break;
  }
  return TensorType::kF32;
}

SegmentShape ShapeOf(const model::EncodedSegment& segment, Quantiser quantiser, std::int64_t dim) {
  SegmentShape shape;
  shape.quantiser = quantiser;
  for (const model::EncodedLayer& layer : segment.layers) {
    shape.layers.push_back(static_cast<std::uint32_t>(layer.layer));
  }
  shape.chunks = static_cast<std::uint32_t>(segment.chunks);
  shape.tokens = static_cast<std::uint32_t>(segment.tokens);
  shape.vector_length = static_cast<std::uint32_t>(dim);
  shape.scales_per_vector = quantiser == Quantiser::kInt8 ? 1 : 0;
  return shape;
}

Status Fill(const std::vector<float>& rows, const SegmentShape& shape, std::size_t layer_index,
            SegmentPart part, SegmentBuilder* builder) {
  return compute::PackRows(CodeType(shape.quantiser), rows, shape.vector_length,
                           builder->Codes(layer_index, part), builder->Scales(layer_index, part));
}

Status Unpack(const SegmentView& view, std::size_t layer_index, SegmentPart part,
              std::vector<float>* rows) {
  rows->resize(std::size_t{view.chunks()} * view.vector_length());
  return compute::UnpackRows(CodeType(view.quantiser()), view.Codes(layer_index, part),
                             view.Scales(layer_index, part), view.vector_length(), *rows);
}

}  // namespace

Result<PackedSegment> PackSegment(const model::EncodedSegment& segment, Quantiser quantiser,
                                  const model::Model& model) {
  const SegmentShape router_shape = ShapeOf(segment, quantiser, model.router().dim());
  const SegmentShape kv_shape = ShapeOf(segment, quantiser, model.key_value_dim());
  KVASIR_ASSIGN_OR_RETURN(
      SegmentBuilder router,
      SegmentBuilder::Create(SegmentKind::kRouter, model.fingerprint(), router_shape));
  KVASIR_ASSIGN_OR_RETURN(SegmentBuilder kv,
                          SegmentBuilder::Create(SegmentKind::kKv, model.fingerprint(), kv_shape));
  for (std::size_t l = 0; l < segment.layers.size(); ++l) {
    const model::EncodedLayer& layer = segment.layers[l];
    Status packed = Fill(layer.router_keys, router_shape, l, SegmentPart::kRouterKeys, &router);
    if (packed.ok()) packed = Fill(layer.keys, kv_shape, l, SegmentPart::kKeys, &kv);
    if (packed.ok()) packed = Fill(layer.values, kv_shape, l, SegmentPart::kValues, &kv);
    if (!packed.ok()) {
      return Internal("layer " + std::to_string(layer.layer) +
                      " of the model gave what cannot be stored: " + packed.message());
    }
  }
  return PackedSegment{std::move(router).Finish(), std::move(kv).Finish()};
}

Status UnpackMemory(const SegmentView& kv, std::size_t layer_index, LayerMemory* memory) {
  KVASIR_RETURN_IF_ERROR(Unpack(kv, layer_index, SegmentPart::kKeys, &memory->keys));
  return Unpack(kv, layer_index, SegmentPart::kValues, &memory->values);
}

Result<RouterCodes> UnpackRouterKeys(const SegmentView& router) {
  const std::size_t vectors = router.layers().size() * router.chunks();
  const std::size_t per_layer = std::size_t{router.chunks()} * router.vector_length();
  RouterCodes out;
  out.codes.resize(vectors * router.vector_length());
  out.scales.resize(vectors);
  std::vector<float> rows;
  for (std::size_t l = 0; l < router.layers().size(); ++l) {
    const auto codes = std::span(out.codes).subspan(l * per_layer, per_layer);
    const auto scales = std::span(out.scales).subspan(l * router.chunks(), router.chunks());
    if (router.quantiser() == Quantiser::kInt8 && router.scales_per_vector() == 1) {
      const auto stored = router.Codes(l, SegmentPart::kRouterKeys);
      std::memcpy(codes.data(), stored.data(), codes.size());
      const auto stored_scales = router.Scales(l, SegmentPart::kRouterKeys);
      std::copy(stored_scales.begin(), stored_scales.end(), scales.begin());
      continue;
    }
    KVASIR_RETURN_IF_ERROR(Unpack(router, l, SegmentPart::kRouterKeys, &rows));
    KVASIR_RETURN_IF_ERROR(compute::PackRows(TensorType::kI8, rows, router.vector_length(),
                                             std::as_writable_bytes(codes), scales));
  }
  return out;
}

}  // namespace kvasir::agent
