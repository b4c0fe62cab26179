// A server on a loopback port that gives every connection one scripted answer: for tests of HTTP
// clients.
#ifndef KVASIR_TESTS_UNIT_AGENT_SCRIPTED_SERVER_H_
#define KVASIR_TESTS_UNIT_AGENT_SCRIPTED_SERVER_H_

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kvasir::agent {

class ScriptedServer {
 public:
  /// Sends `pieces` one by one after the request was read whole; with `hang` the connection stays
  /// open and silent after them, until the client or the server goes.
  explicit ScriptedServer(std::vector<std::string> pieces, bool hang = false);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  /// Head and body of the last request.
  std::string request() const;

 private:
  void Serve();
  std::string ReadRequest(int connection) const;

  std::vector<std::string> pieces_;
  bool hang_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  int port_ = 0;
  mutable std::mutex mutex_;
  std::string request_;
  std::thread thread_;
};

/// The head of a 200 answer whose body is an event stream.
std::string StreamHead();
/// One event of a chat completion with a piece of text.
std::string Delta(const std::string& text);

}  // namespace kvasir::agent

#endif  // KVASIR_TESTS_UNIT_AGENT_SCRIPTED_SERVER_H_
