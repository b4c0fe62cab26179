// Keys and values that attention reads: of a running context, of the template head, of the selected
// chunks.
#ifndef KVASIR_MODEL_KV_CACHE_H_
#define KVASIR_MODEL_KV_CACHE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "kvasir/status.h"

namespace kvasir::model {

/// Keys and values of one layer in a backend's memory, growing at the end: [capacity, key | value],
/// each `dim` numbers wide.
class KvRows {
 public:
  explicit KvRows(std::int64_t dim) : dim_(dim) {}

  /// Room for `rows` in all; what is there stays. Grows by doubling: a growth copies and waits for
  /// the stream, everything else is free. Errors: the backend's.
  Status Reserve(compute::Backend& backend, compute::Stream& stream, std::int64_t rows);
  /// Forgets the rows and keeps the memory.
  void Clear() { length_ = 0; }

  /// Rows [n, key | value] of the same backend. Reserve first.
  void Append(compute::Stream& stream, compute::ConstRows key_values);
  /// Host rows [n, dim] each, which must live until the stream is synchronised. Reserve first.
  void Upload(compute::Stream& stream, std::span<const float> keys, std::span<const float> values);

  std::int64_t length() const { return length_; }
  compute::KeyValues View() const;

 private:
  compute::Rows Tail(std::int64_t rows) const;

  std::int64_t dim_;
  std::int64_t length_ = 0;
  std::int64_t capacity_ = 0;
  std::unique_ptr<compute::Buffer> buffer_;
};

/// One KvRows per layer.
using KvCache = std::vector<KvRows>;
KvCache MakeKvCache(std::int64_t layers, std::int64_t dim);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_KV_CACHE_H_
