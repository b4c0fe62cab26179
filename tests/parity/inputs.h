// Random inputs of op cases: the same for every backend.
#ifndef KVASIR_TESTS_PARITY_INPUTS_H_
#define KVASIR_TESTS_PARITY_INPUTS_H_

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "compute/backend.h"
#include "compute/tensor_type.h"
#include "tests/support/normal.h"

namespace kvasir::compute::parity {

using test::Normal;

/// Rows on a backend inside wider rows, so that strides are tried too.
class Tensor {
 public:
  /// [rows, cols] of normal numbers, each row followed by `gap` others.
  Tensor(Backend& backend, Stream& stream, std::int64_t rows, std::int64_t cols, std::uint32_t seed,
         std::int64_t gap = 0);
  Rows rows() const { return view_; }
  std::vector<float> Read(Stream& stream) const;

 private:
  std::unique_ptr<Buffer> buffer_;
  Rows view_;
};

/// A weight matrix as a file holds it, with blocks of plausible scales.
struct FileMatrix {
  std::vector<std::byte> bytes;
  HostMatrix host;
};
std::shared_ptr<FileMatrix> RandomMatrix(TensorType type, std::int64_t rows, std::int64_t cols,
                                         std::uint32_t seed);

}  // namespace kvasir::compute::parity

#endif  // KVASIR_TESTS_PARITY_INPUTS_H_
