#include "storage/clock.h"

#include <openssl/rand.h>

namespace kvasir::storage {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp Now() override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

class OpenSslRandom final : public RandomSource {
 public:
  Status Fill(std::span<std::uint8_t> bytes) override {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
      return Unavailable("the system's random generator gave no bytes");
    }
    return Status::Ok();
  }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

RandomSource& RandomSource::System() {
  static OpenSslRandom random;
  return random;
}

}  // namespace kvasir::storage
