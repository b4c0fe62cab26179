#include "compute/fair_shared_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace kvasir::compute {
namespace {

TEST(FairSharedMutex, LetsReadersInTogether) {
  FairSharedMutex mutex;
  std::barrier both_inside(2);  // Waits for ever if one reader kept the other out.
  {
    std::vector<std::jthread> readers;
    for (int reader = 0; reader < 2; ++reader) {
      readers.emplace_back([&] {
        const std::shared_lock lock(mutex);
        both_inside.arrive_and_wait();
      });
    }
  }
}

TEST(FairSharedMutex, LetsAWriterThroughAStreamOfReaders) {
  FairSharedMutex mutex;
  std::atomic<bool> written = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 4; ++reader) {
    // They end only when the writer was let in, and nearly always one of them is inside.
    readers.emplace_back([&] {
      while (!written) {
        const std::shared_lock lock(mutex);
        for (int i = 0; i < 20; ++i) std::this_thread::yield();
      }
    });
  }
  {
    const std::lock_guard lock(mutex);
    written = true;
  }
}

TEST(FairSharedMutex, NeverLetsAWriterInBesideAnybody) {
  FairSharedMutex mutex;
  // Not atomic: ThreadSanitizer sees what the mutex does not order.
  int first = 0;
  int second = 0;
  std::atomic<int> torn = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 2000; ++i) {
          if (thread == 0) {
            const std::lock_guard lock(mutex);
            ++first;
            ++second;
          } else {
            const std::shared_lock lock(mutex);
            if (first != second) ++torn;
          }
        }
      });
    }
  }
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(first, 2000);
}

}  // namespace
}  // namespace kvasir::compute
