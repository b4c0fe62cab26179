#include "compute/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace kvasir::compute {
namespace {

TEST(Pool, LendsEachObjectToOneAtATime) {
  std::atomic<int> made = 0;
  Pool<std::atomic<int>> pool(2, [&]() -> Result<std::unique_ptr<std::atomic<int>>> {
    ++made;
    return std::make_unique<std::atomic<int>>(0);
  });
  std::atomic<bool> shared = false;
  std::atomic<int> asking = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        ++asking;
        for (int i = 0; i < 1000; ++i) {
          const auto loan = pool.Borrow();
          std::atomic<int>& users = **loan;
          if (users.fetch_add(1) != 0) shared = true;
          // The first borrowers keep theirs until everybody wants one.
          while (asking < 8) std::this_thread::yield();
          users.fetch_sub(1);
        }
      });
    }
  }
  EXPECT_FALSE(shared);
  EXPECT_LE(made, 2);
}

TEST(Pool, TriesAgainAfterAFailure) {
  int calls = 0;
  Pool<int> pool(1, [&]() -> Result<std::unique_ptr<int>> {
    if (++calls == 1) return Unavailable("not yet");
    return std::make_unique<int>(7);
  });
  EXPECT_EQ(pool.Borrow().status().code(), StatusCode::kUnavailable);
  const auto loan = pool.Borrow();
  ASSERT_TRUE(loan.ok());
  EXPECT_EQ(**loan, 7);
}

}  // namespace
}  // namespace kvasir::compute
