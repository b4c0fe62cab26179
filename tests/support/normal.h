// Normal random numbers, the same for the same seed.
#ifndef KVASIR_TESTS_SUPPORT_NORMAL_H_
#define KVASIR_TESTS_SUPPORT_NORMAL_H_

#include <cstdint>
#include <random>
#include <vector>

namespace kvasir::test {

inline std::vector<float> Normal(std::int64_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace kvasir::test

#endif  // KVASIR_TESTS_SUPPORT_NORMAL_H_
