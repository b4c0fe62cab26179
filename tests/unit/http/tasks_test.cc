#include "http/tasks.h"

#include <gtest/gtest.h>

#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/http/scripted_memory.h"

namespace kvasir::http {
namespace {

constexpr const char* kLine = "{\"text\":\"line\"}\n";

/// Remembers nothing before it is let.
class SlowMemory : public http_test::ScriptedMemory {
 public:
  std::vector<Result<RememberReceipt>> RememberBatch(std::span<const RememberRequest> requests,
                                                     const CallOptions& options) override {
    begun.release();
    may_go.acquire();
    return ScriptedMemory::RememberBatch(requests, options);
  }
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> may_go{0};
};

class TasksTest : public ::testing::Test {
 protected:
  std::string Add(Tasks& tasks, const std::string& lines, const std::string& space = "*") {
    Principal principal;
    principal.space = space;
    return tasks.Add(*tasks.Reserve(lines.size()), memory_, principal, "", lines);
  }
  static void Await(const Tasks& tasks, const std::string& id) {
    while (!tasks.Results(Principal(), id).ok()) std::this_thread::yield();
  }

  SlowMemory memory_;
};

TEST_F(TasksTest, SayHowFarTheyAreAndWhatCameOfThem) {
  Tasks tasks;
  const std::string id = Add(tasks, kLine);
  memory_.begun.acquire();
  EXPECT_EQ((*tasks.Find({}, id))["state"], "running");
  EXPECT_EQ(tasks.Results({}, id).status().code(), StatusCode::kConflict);
  const std::string second = Add(tasks, kLine);
  EXPECT_EQ((*tasks.Find({}, second))["state"], "waiting");
  memory_.may_go.release(2);
  Await(tasks, second);
  const Json done = *tasks.Find({}, id);
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["lines"], 1);
  EXPECT_TRUE(done["ended_at"].is_string());
  EXPECT_NE(tasks.Results({}, id)->find("\"outcome\":\"created\""), std::string::npos);
}

TEST_F(TasksTest, OfOtherSpacesAreUnknown) {
  Tasks tasks;
  memory_.may_go.release(1);
  const std::string id = Add(tasks, kLine, "ada");
  Await(tasks, id);
  Principal bob;
  bob.space = "bob";
  EXPECT_EQ(tasks.Find(bob, id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(tasks.Results(bob, id).status().code(), StatusCode::kNotFound);
  Principal ada;
  ada.space = "ada";
  EXPECT_TRUE(tasks.Find(ada, id).ok());
}

TEST_F(TasksTest, TakeSoManyBytesAtOnce) {
  Tasks tasks({.bytes = 10, .kept = 1});
  auto place = *tasks.Reserve(6);
  EXPECT_EQ(tasks.Reserve(6).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(tasks.Reserve(11).status().code(), StatusCode::kInvalidArgument);
  place.reset();
  EXPECT_TRUE(tasks.Reserve(6).ok());
}

TEST_F(TasksTest, GiveTheirBytesBackWhenTheyEnd) {
  const std::string line = kLine;
  Tasks tasks({.bytes = line.size(), .kept = 2});
  memory_.may_go.release(1);
  const std::string id = Add(tasks, line);
  Await(tasks, id);
  while (!tasks.Reserve(line.size()).ok()) std::this_thread::yield();
}

TEST_F(TasksTest, ForgetTheOldestOfTheEnded) {
  Tasks tasks({.bytes = 1000, .kept = 2});
  memory_.may_go.release(3);
  std::string ids[3];
  for (std::string& id : ids) id = Add(tasks, kLine);
  Await(tasks, ids[2]);
  EXPECT_EQ(tasks.Find({}, ids[0]).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(tasks.Find({}, ids[1]).ok());
}

TEST_F(TasksTest, StopAtTheNextGroupOfLines) {
  Tasks tasks;
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += kLine;  // More than one group.
  const std::string id = Add(tasks, lines);
  memory_.begun.acquire();
  std::thread stopper([&tasks] { tasks.Stop(); });
  // The stop was asked for once nothing more is taken.
  while (tasks.Reserve(1).ok()) std::this_thread::yield();
  memory_.may_go.release(2);
  stopper.join();
  EXPECT_EQ((*tasks.Find({}, id))["state"], "stopped");
  EXPECT_LT((*tasks.Find({}, id))["lines"], 100);
}

}  // namespace
}  // namespace kvasir::http
