// Vectors around a few topics, as texts are, so that a question has near and far memories.
#ifndef KVASIR_TESTS_SUPPORT_TOPICS_H_
#define KVASIR_TESTS_SUPPORT_TOPICS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace kvasir::test {

/// The topics are always the same, what is drawn around them depends on the seed.
class Topics {
 public:
  Topics(std::size_t dim, std::size_t count, std::uint32_t seed) : dim_(dim), topics_(count) {
    for (auto& topic : topics_) topic = Noise(1.0F);
    random_.seed(seed);
  }
  /// A unit vector: a topic and as much noise.
  std::vector<float> Draw(float noise) {
    std::vector<float> x = Noise(noise);
    const std::vector<float>& topic = topics_[Below(topics_.size())];
    float squares = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += topic[i];
      squares += x[i] * x[i];
    }
    for (float& value : x) value /= std::sqrt(squares);
    return x;
  }
  std::size_t Below(std::size_t end) { return random_() / 64 % end; }

 private:
  std::vector<float> Noise(float width) {
    std::uniform_real_distribution<float> uniform(-width, width);
    std::vector<float> x(dim_);
    for (float& value : x) value = uniform(random_);
    return x;
  }

  const std::size_t dim_;
  std::minstd_rand random_{1};
  std::vector<std::vector<float>> topics_;
};

}  // namespace kvasir::test

#endif  // KVASIR_TESTS_SUPPORT_TOPICS_H_
