#include "http/event_stream.h"

#include <exception>
#include <thread>
#include <utility>

namespace kvasir::http {

void EventStream::Run(ResponseSink& sink, const Work& work, const std::stop_token& gone,
                      std::chrono::milliseconds ping) {
  EventStream stream;
  std::stop_source stop;
  const std::stop_callback forward(gone, [&stop] { stop.request_stop(); });
  std::jthread worker([&] {
    const Send send = [&stream](std::string_view event, const Json& data) {
      const std::string name = event.empty() ? "" : "event: " + std::string(event) + "\n";
      stream.Push(name + "data: " + DumpJson(data) + "\n\n");
    };
    try {
      work(send, stop.get_token());
    } catch (const std::exception&) {
      send("error", {{"code", "internal"}, {"detail", "kvasir failed while it answered."}});
    }
    stream.Close();
  });
  while (auto text = stream.Next(ping)) {
    if (!sink.Write(*text)) stop.request_stop();
  }
}

void EventStream::Push(std::string text) {
  {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(text));
  }
  changed_.notify_one();
}

void EventStream::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

std::optional<std::string> EventStream::Next(std::chrono::milliseconds ping) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, ping, [this] { return closed_ || !events_.empty(); })) {
    return ": ping\n\n";
  }
  if (events_.empty()) return std::nullopt;
  std::string text = std::move(events_.front());
  events_.pop_front();
  return text;
}

}  // namespace kvasir::http
