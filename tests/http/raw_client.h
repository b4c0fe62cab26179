// A client that says exactly what a test wants, however wrong.
#ifndef TESTS_HTTP_RAW_CLIENT_H_
#define TESTS_HTTP_RAW_CLIENT_H_

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir::http_test {

struct Reply {
  int status = 0;                              ///< 0: the server closed without an answer.
  std::map<std::string, std::string> headers;  ///< Lower-case names.
  std::string body;                            ///< Chunks put together.
  bool whole = false;                          ///< As long as its head says.
  std::string rest;                            ///< What came after it: must always be empty.
};

class RawClient {
 public:
  explicit RawClient(int port);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  int fd() const { return fd_; }
  /// False when the server has closed.
  bool Send(std::string_view bytes);
  /// Everything until the server closes or `patience` passes without a byte.
  std::string ReadAll(std::chrono::milliseconds patience = std::chrono::seconds(15));
  /// Until `marker` was read; what was read.
  std::string ReadUntil(std::string_view marker,
                        std::chrono::milliseconds patience = std::chrono::seconds(15));
  void Close();

 private:
  int fd_ = -1;
};

Reply ParseReply(const std::string& bytes);

/// One well-formed request; `extra` are header lines with their ends.
std::string Request(std::string_view method, std::string_view target, std::string_view body = "",
                    std::string_view extra = "",
                    std::string_view content_type = "application/json");

/// Sends `bytes` on a fresh connection and reads the answer.
Reply Exchange(int port, std::string_view bytes);

/// Exchange(port, Request(…)).
Reply Fetch(int port, std::string_view method, std::string_view target, std::string_view body = "",
            std::string_view extra = "");

}  // namespace kvasir::http_test

#endif  // TESTS_HTTP_RAW_CLIENT_H_
