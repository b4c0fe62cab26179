// A shared mutex that no stream of readers can keep a writer waiting at.
#ifndef KVASIR_COMPUTE_FAIR_SHARED_MUTEX_H_
#define KVASIR_COMPUTE_FAIR_SHARED_MUTEX_H_

#include <mutex>
#include <shared_mutex>

namespace kvasir::compute {

/// std::shared_mutex may prefer readers for ever (glibc's does). Here everybody passes one gate
/// first, and a writer holds it while it waits: readers that come later wait behind it.
class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard gate(gate_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard gate(gate_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex gate_;
  std::shared_mutex mutex_;
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_FAIR_SHARED_MUTEX_H_
