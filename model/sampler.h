// From logits to the next token: greedy, or drawn by temperature and top-p.
#ifndef KVASIR_MODEL_SAMPLER_H_
#define KVASIR_MODEL_SAMPLER_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace kvasir::model {

struct SamplerOptions {
  float temperature = 0;   ///< 0: greedy (the lowest token id among equals).
  float top_p = 1;         ///< Keep the most likely tokens up to this mass; in (0, 1].
  std::uint64_t seed = 0;  ///< Of SplitMix64, one draw per token.
};

/// Draws tokens. Same options, same logits, same tokens. One thread at a time.
class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options) : options_(options), state_(options.seed) {}

  /// The next token. `allowed`, when not empty, lists the only ids that may come out (constrained
  /// generation, see number_trie.h). Cost: O(vocabulary) greedy, O(n log n) when drawing.
  std::int32_t Next(std::span<const float> logits, std::span<const std::int32_t> allowed = {});

 private:
  std::int32_t Draw();
  double Uniform();

  SamplerOptions options_;
  std::uint64_t state_;
  std::vector<std::pair<float, std::int32_t>> candidates_;  // Logit or weight, id.
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_SAMPLER_H_
