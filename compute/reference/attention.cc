#include <algorithm>
#include <cmath>
#include <vector>

#include "compute/reference/ops.h"

namespace kvasir::compute::reference {
namespace {

/// One key and its value, seen from one key-value head.
struct KeyValue {
  const float* k;
  const float* v;
};

void AppendVisible(const KeyValues& block, std::int64_t length, std::int64_t column,
                   std::vector<KeyValue>* visible) {
  for (std::int64_t row = 0; row < length; ++row) {
    visible->push_back({block.k.data + row * block.k.stride + column,
                        block.v.data + row * block.v.stride + column});
  }
}

double Dot(const float* a, const float* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

/// out[D] = softmax(scale · q · Kᵀ) · V over the visible keys; zeros when there are none.
void AttendOne(const float* q, const std::vector<KeyValue>& visible, std::int64_t head_dim,
               double scale, float* out) {
  std::vector<double> weights;
  double highest = -HUGE_VAL;
  for (const KeyValue& key_value : visible) {
    weights.push_back(scale * Dot(q, key_value.k, head_dim));
    highest = std::max(highest, weights.back());
  }
  double sum = 0;
  for (double& weight : weights) {
    weight = std::exp(weight - highest);
    sum += weight;
  }
  for (std::int64_t i = 0; i < head_dim; ++i) {
    double value = 0;
    for (std::size_t j = 0; j < visible.size(); ++j) value += weights[j] * double{visible[j].v[i]};
    out[i] = visible.empty() ? 0.0F : static_cast<float>(value / sum);
  }
}

}  // namespace

void Attention(ConstRows q, std::span<const AttentionSequence> sequences, std::int64_t heads,
               std::int64_t kv_heads, std::int64_t head_dim, float scale, Rows out) {
  std::vector<KeyValue> visible;
  for (const AttentionSequence& sequence : sequences) {
    for (std::int64_t t = 0; t < sequence.query_count; ++t) {
      for (std::int64_t h = 0; h < heads; ++h) {
        const std::int64_t column = h / (heads / kv_heads) * head_dim;
        visible.clear();
        for (const KeyValues& block : sequence.memory) {
          AppendVisible(block, block.k.rows, column, &visible);
        }
        AppendVisible(sequence.self, sequence.self.k.rows - sequence.query_count + t + 1, column,
                      &visible);
        const std::int64_t row = sequence.query_begin + t;
        AttendOne(q.data + row * q.stride + h * head_dim, visible, head_dim, double{scale},
                  out.data + row * out.stride + h * head_dim);
      }
    }
  }
}

}  // namespace kvasir::compute::reference
