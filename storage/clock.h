// Time and randomness as the store sees them: passed in, so that every test is deterministic.
#ifndef STORAGE_CLOCK_H_
#define STORAGE_CLOCK_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir::storage {

/// Wall clock, UTC. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() = 0;
  /// The machine's clock; lives for ever.
  static Clock& System();
};

/// Bytes nobody can guess: the store's uuid and the key of its hashes. Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual Status Fill(std::span<std::uint8_t> bytes) = 0;
  /// OpenSSL's generator; lives for ever.
  static RandomSource& System();
};

}  // namespace kvasir::storage

#endif  // STORAGE_CLOCK_H_
