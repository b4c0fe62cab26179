// The bounded line in front of the workers.
#ifndef HTTP_WORK_QUEUE_H_
#define HTTP_WORK_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

namespace kvasir::http {

/// First in, first out; any number of threads on both sides.
template <typename T>
class WorkQueue {
 public:
  explicit WorkQueue(std::size_t bound) : bound_(bound) {}

  /// False when it is full.
  bool TryPush(std::shared_ptr<T> item) {
    {
      std::lock_guard lock(mutex_);
      if (items_.size() >= bound_) return false;
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
    return true;
  }

  /// Waits for an item; null once the queue is closed and empty.
  std::shared_ptr<T> Pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return nullptr;
    auto item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t bound_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::shared_ptr<T>> items_;
  bool closed_ = false;
};

}  // namespace kvasir::http

#endif  // HTTP_WORK_QUEUE_H_
