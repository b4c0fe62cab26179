// MCP over lines: one JSON message a line, as `kvasir mcp` speaks it on standard input and output.
#ifndef HTTP_MCP_LINE_SERVER_H_
#define HTTP_MCP_LINE_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/mcp/protocol.h"
#include "http/work_queue.h"

namespace kvasir::http::mcp {

struct Line {
  std::string text;
  bool too_long = false;  ///< The text was dropped.
};

class LineServer {
 public:
  using Next = std::function<std::optional<Line>()>;    ///< nullopt at the end.
  using Write = std::function<void(std::string_view)>;  ///< One whole line, its end included.

  /// `protocol` outlives this. `write` is called by one thread at a time.
  LineServer(const Protocol& protocol, Next next, Write write);

  /// Answers until the lines end and everything that was asked is answered, or `stop`: then what
  /// runs is cancelled. Requests run beside each other; cancellations overtake them.
  void Run(const std::stop_token& stop);

 private:
  struct Job {
    Message request;
    std::optional<Revision> agreed;
    std::stop_source stop;
  };

  void Take(const Line& line, const std::stop_token& stop);
  void TakeRequest(Message request);
  void Cancel(const Json& params);
  void Work();
  void Do(Job& job);
  void Send(const Json& message);

  const Protocol& protocol_;
  const Next next_;
  const Write write_;
  WorkQueue<Job> queue_;
  std::optional<Revision> agreed_;  // Only the reading thread looks at it.
  std::mutex jobs_mutex_;
  std::map<Json, std::shared_ptr<Job>> jobs_;  // Not yet answered, by id.
  std::mutex write_mutex_;
};

}  // namespace kvasir::http::mcp

#endif  // HTTP_MCP_LINE_SERVER_H_
