// Lets an erasure wait for readers that could still hold erased data, without holding up new ones.
#ifndef STORAGE_READER_GATE_H_
#define STORAGE_READER_GATE_H_

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace kvasir::storage {

/// Two counters that take turns (sleepable RCU). Thread-safe.
class ReaderGate {
 public:
  /// Held as long as a snapshot or iterator lives. Move-only.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(other.gate_), side_(other.side_) { other.gate_ = nullptr; }
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave(side_);
    }

   private:
    friend class ReaderGate;
    Pass(ReaderGate* gate, std::size_t side) : gate_(gate), side_(side) {}
    ReaderGate* gate_;
    std::size_t side_;
  };

  Pass Enter() {
    const std::scoped_lock lock(mutex_);
    ++inside_[side_];
    return {this, side_};
  }

  /// Returns when every Pass that existed at the call is gone. One caller at a time.
  void WaitForReaders() {
    const std::scoped_lock turn(wait_mutex_);
    std::unique_lock lock(mutex_);
    const std::size_t old_side = side_;
    side_ = 1 - side_;
    left_.wait(lock, [&] { return inside_[old_side] == 0; });
  }

 private:
  void Leave(std::size_t side) {
    const std::scoped_lock lock(mutex_);
    if (--inside_[side] == 0) left_.notify_all();
  }

  std::mutex wait_mutex_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::array<std::uint64_t, 2> inside_{};
  std::size_t side_ = 0;
};

}  // namespace kvasir::storage

#endif  // STORAGE_READER_GATE_H_
