#include "model/config.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace kvasir::model {
namespace {

struct Bound {
  const char* what;
  int value;
  int low;
  int high;
};

/// Far past any model that exists, and small enough that products of two stay in 64 bits.
Status CheckBounds(const ModelConfig& c) {
  const Bound bounds[] = {
      {"hidden size", c.hidden, 1, 1 << 17},
      {"number of layers", c.layers, 1, 1024},
      {"number of heads", c.heads, 1, 1024},
      {"number of key-value heads", c.kv_heads, 1, 1024},
      {"head dimension", c.head_dim, 2, 1024},
      {"feed-forward size", c.ffn, 1, 1 << 20},
      {"vocabulary", c.vocab, 1, 1 << 24},
      {"context length", c.context_length, 1, 1 << 30},
      {"rotated dimensions", c.rope.dims, 2, 1024},
  };
  for (const Bound& bound : bounds) {
    if (bound.value < bound.low || bound.value > bound.high) {
      return Corruption(std::string(bound.what) + " " + std::to_string(bound.value) +
                        " is not between " + std::to_string(bound.low) + " and " +
                        std::to_string(bound.high));
    }
  }
  return Status::Ok();
}

Status CheckMsa(const MsaConfig& msa, int layers) {
  if (msa.routed_layers.empty()) return Corruption("no layer routes");
  if (!std::ranges::is_sorted(msa.routed_layers, std::less_equal<>()) ||
      msa.routed_layers.front() < 0 || msa.routed_layers.back() >= layers) {
    return Corruption("routed layers are not ascending numbers below " + std::to_string(layers));
  }
  if (msa.top_k_docs < 1 || msa.top_k_docs > 1 << 16) {
    return Corruption("top_k_docs " + std::to_string(msa.top_k_docs) +
                      " is not between 1 and 65536");
  }
  if (msa.pooling < 1 || msa.pooling > 1 << 16) {
    return Corruption("pooling " + std::to_string(msa.pooling) + " is not between 1 and 65536");
  }
  return Status::Ok();
}

}  // namespace

bool MsaConfig::Routes(int layer) const { return std::ranges::binary_search(routed_layers, layer); }

std::string_view ArchitectureName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
      return "llama";
    case Architecture::kQwen3:
      return "qwen3";
    case Architecture::kMsa:
      return "msa";
  }
  return "?";
}

MsaConfig UpperHalfRouting(int layers) {
  MsaConfig msa;
  msa.routed_layers.resize(static_cast<size_t>(layers - layers / 2));
  std::iota(msa.routed_layers.begin(), msa.routed_layers.end(), layers / 2);
  msa.decouple_router = false;
  return msa;
}

Status Validate(const ModelConfig& config) {
  KVASIR_RETURN_IF_ERROR(CheckBounds(config));
  if (config.heads % config.kv_heads != 0) {
    return Corruption(std::to_string(config.heads) + " heads cannot share " +
                      std::to_string(config.kv_heads) + " key-value heads");
  }
  if (config.head_dim % 2 != 0) return Corruption("the head dimension is odd");
  if (config.rope.dims % 2 != 0 || config.rope.dims > config.head_dim) {
    return Corruption("rotated dimensions are odd or more than the head has");
  }
  if (!(config.rope.theta >= 1.0 && config.rope.theta <= 1e12)) {
    return Corruption("RoPE base " + std::to_string(config.rope.theta) +
                      " is not between 1 and 1e12");
  }
  if (!(config.rms_eps > 0.0 && config.rms_eps <= 0.1)) {
    return Corruption("RMS epsilon is not between 0 and 0.1");
  }
  if ((config.architecture == Architecture::kMsa) != config.msa.has_value()) {
    return Corruption("router settings belong to the architecture msa, and only to it");
  }
  if (config.msa) KVASIR_RETURN_IF_ERROR(CheckMsa(*config.msa, config.layers));
  return Status::Ok();
}

}  // namespace kvasir::model
