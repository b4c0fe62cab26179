// Server-sent events from work that runs on a thread of its own.
#ifndef HTTP_EVENT_STREAM_H_
#define HTTP_EVENT_STREAM_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/json.h"
#include "http/message.h"

namespace kvasir::http {

class EventStream {
 public:
  /// What the work calls: any thread, never blocks. An `event` without a name is data alone.
  using Send = std::function<void(std::string_view event, const Json& data)>;
  using Work = std::function<void(const Send& send, std::stop_token stop)>;

  /// Runs `work` and writes its events to `sink` until both are done, with a comment line after
  /// each `ping` of silence. A client that goes away (a write fails, or `gone`) stops the work;
  /// returns when the work has ended.
  static void Run(ResponseSink& sink, const Work& work, const std::stop_token& gone,
                  std::chrono::milliseconds ping);

 private:
  void Push(std::string text);
  void Close();
  /// Waits up to `ping`; ": ping" after that, nullopt at the end.
  std::optional<std::string> Next(std::chrono::milliseconds ping);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> events_;
  bool closed_ = false;
};

}  // namespace kvasir::http

#endif  // HTTP_EVENT_STREAM_H_
