// What a segment depends on, in 16 bytes: another model never reads it by mistake.
#ifndef KVASIR_MODEL_FINGERPRINT_H_
#define KVASIR_MODEL_FINGERPRINT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/adapter.h"
#include "model/config.h"
#include "model/router.h"
#include "model/weights_file.h"

namespace kvasir::model {

using Fingerprint = std::array<std::uint8_t, 16>;

/// MurmurHash3_x64_128 (Austin Appleby, public domain) of `bytes`, little endian on every machine.
/// Guards against mistakes, not against an attacker: a fingerprint names a model, it does not
/// authenticate one. About 3 GB/s.
Fingerprint Hash128(std::span<const std::byte> bytes, std::uint64_t seed = 0);

/// Over everything that decides which numbers a segment of this model holds: each tensor of the
/// model and of the adapter but its changes for answers (name, type, shape, bytes; in order of
/// names, so that neither sharding nor metadata matters), the shape of the network, the routing,
/// the text around a document, the tokenizer's own fingerprint. `adapter` may be null; `tokenizer`
/// is 0 without one. Cost: one reading of the weights. Changing what goes in here, or anything in
/// how segments are computed, must raise kSegmentNumbers in fingerprint.cc.
Fingerprint FingerprintOf(const WeightsFile& weights, const Adapter* adapter,
                          const ModelConfig& config, const RouterSpec& router,
                          std::uint64_t tokenizer);

/// 32 lower-case hexadecimal digits.
std::string ToHex(const Fingerprint& fingerprint);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_FINGERPRINT_H_
