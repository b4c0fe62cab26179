#include "http/event_stream.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>

namespace kvasir::http {
namespace {

constexpr std::chrono::milliseconds kNoPing{60'000};

/// Takes `room` writes, then is gone.
class Listener final : public ResponseSink {
 public:
  explicit Listener(int room = 1000) : room_(room) {}
  bool Write(std::string_view bytes) override {
    if (room_ == 0) return false;
    --room_;
    heard_ += bytes;
    return true;
  }
  const std::string& heard() const { return heard_; }

 private:
  int room_;
  std::string heard_;
};

void WaitUntilStopped(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, std::move(stop), [] { return false; });
}

TEST(EventStream, WritesEventsInOrderAndEnds) {
  Listener listener;
  EventStream::Run(
      listener,
      [](const EventStream::Send& send, std::stop_token) {
        send("token", {{"text", "a\nb"}});
        send("done", Json::object());
      },
      {}, kNoPing);
  EXPECT_EQ(listener.heard(),
            "event: token\ndata: {\"text\":\"a\\nb\"}\n\nevent: done\ndata: {}\n\n");
}

TEST(EventStream, PingsWhileTheWorkIsSilentAndStopsItWhenNobodyListens) {
  Listener listener(3);
  bool stopped = false;
  EventStream::Run(
      listener,
      [&stopped](const EventStream::Send&, std::stop_token stop) {
        WaitUntilStopped(std::move(stop));
        stopped = true;
      },
      {}, std::chrono::milliseconds(1));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(listener.heard(), ": ping\n\n: ping\n\n: ping\n\n");
}

TEST(EventStream, StopsTheWorkWhenTheClientIsGone) {
  Listener listener;
  std::stop_source gone;
  gone.request_stop();
  bool stopped = false;
  EventStream::Run(
      listener,
      [&stopped](const EventStream::Send&, std::stop_token stop) {
        stopped = stop.stop_requested();
      },
      gone.get_token(), kNoPing);
  EXPECT_TRUE(stopped);
}

TEST(EventStream, TurnsAnExceptionIntoAnErrorEvent) {
  Listener listener;
  EventStream::Run(
      listener,
      [](const EventStream::Send&, std::stop_token) { throw std::runtime_error("secret"); }, {},
      kNoPing);
  EXPECT_EQ(listener.heard().find("event: error\n"), 0U);
  EXPECT_EQ(listener.heard().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace kvasir::http
