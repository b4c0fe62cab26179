// A handful of costly objects shared by many threads: borrow one, use it alone, it comes back.
#ifndef KVASIR_COMPUTE_POOL_H_
#define KVASIR_COMPUTE_POOL_H_

#include <omp.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::compute {

/// Makes at most `capacity` objects, the first time that so many are wanted at once; who comes when
/// all are lent waits. Thread-safe. Must outlive what it lent.
template <typename T>
class Pool {
 public:
  using Factory = std::function<Result<std::unique_ptr<T>>()>;

  Pool(std::size_t capacity, Factory factory) : factory_(std::move(factory)), capacity_(capacity) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A borrowed object; goes back when this dies. Move-only.
  class Loan {
   public:
    Loan(Pool* pool, std::unique_ptr<T> object) : pool_(pool), object_(std::move(object)) {}
    Loan(Loan&&) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (object_) pool_->Return(std::move(object_));
    }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<T> object_;
  };

  /// Waits for a free one. Errors: the factory's.
  Result<Loan> Borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || made_ < capacity_; });
    if (!idle_.empty()) {
      std::unique_ptr<T> object = std::move(idle_.back());
      idle_.pop_back();
      return Loan(this, std::move(object));
    }
    ++made_;
    lock.unlock();
    Result<std::unique_ptr<T>> made = factory_();
    if (made.ok()) return Loan(this, *std::move(made));
    lock.lock();
    --made_;
    returned_.notify_one();
    return made.status();
  }

 private:
  void Return(std::unique_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(object));
    returned_.notify_one();
  }

  Factory factory_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<T>> idle_;
  std::size_t made_ = 0;
};

/// The process's own, of as many as there are cores and at least two: whoever else wants one would
/// only take the time of those who have one.
template <typename T>
Pool<T>& PoolOfCores() {
  static Pool<T> pool(static_cast<std::size_t>(std::max(2, omp_get_num_procs())),
                      [] { return std::make_unique<T>(); });
  return pool;
}

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_POOL_H_
