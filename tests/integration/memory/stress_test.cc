#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/integration/memory/fixture.h"

namespace kvasir {
namespace {

using StressTest = MemoryTest;

// What every reader may rely on while others write, edit and forget.
void ExpectWhole(const Hit& hit) {
  EXPECT_FALSE(hit.id.empty());
  EXPECT_EQ(hit.text.substr(0, 9), "The note ") << hit.text;
  EXPECT_EQ(hit.span.end - hit.span.begin, hit.text.size());
}

TEST_F(StressTest, RecallsWhileOthersWriteEditAndForget) {
  constexpr int kWriters = 2;
  constexpr int kReaders = 2;
  constexpr int kRounds = 12;
  std::atomic<int> writing = kWriters;
  std::atomic<int> recalls = 0;
  {
    std::vector<std::jthread> threads;
    for (int w = 0; w < kWriters; ++w) {
      threads.emplace_back([&, w] {
        std::mt19937 random(static_cast<unsigned>(w));
        for (int round = 0; round < kRounds; ++round) {
          const std::string id = Name("m", random() % 6);
          RememberRequest request;
          request.id = id;
          request.text = Name("The note of writer ", w, ", round ") + std::to_string(round);
          const auto remembered = memory().Remember(request);
          EXPECT_TRUE(remembered.ok()) << remembered.status().message();
          const auto found = memory().Get(id);
          EXPECT_TRUE(found.ok() || found.status().code() == StatusCode::kNotFound);
          if (round % 4 == 3) {
            const auto gone = memory().Forget(ForgetIds({id}));
            EXPECT_TRUE(gone.ok() || gone.status().code() == StatusCode::kNotFound);
          }
        }
        --writing;
      });
    }
    for (int r = 0; r < kReaders; ++r) {
      threads.emplace_back([&] {
        while (writing > 0) {
          const auto found = memory().Recall(Query("the note of a writer"));
          ASSERT_TRUE(found.ok()) << found.status().message();
          for (const Hit& hit : found->hits) ExpectWhole(hit);
          ++recalls;
        }
      });
    }
  }
  EXPECT_GT(recalls, 0);
  // What memory says now is what a fresh start says.
  RecallRequest latent;
  latent.query = "the note of a writer";
  latent.lexical = false;
  const auto before = Recall(latent);
  EXPECT_TRUE(memory().Verify()->problems.empty());
  Open();
  EXPECT_EQ(Recall(latent), before);
}

}  // namespace
}  // namespace kvasir
