// The server under attack, as a child process.
#ifndef TESTS_HTTP_ATTACK_SERVER_H_
#define TESTS_HTTP_ATTACK_SERVER_H_

#include <sys/types.h>

#include <cstdint>

namespace kvasir::http_test {

class AttackServer {
 public:
  AttackServer();
  ~AttackServer();
  AttackServer(const AttackServer&) = delete;
  AttackServer& operator=(const AttackServer&) = delete;

  int port() const { return port_; }
  /// Resident memory now, from /proc.
  std::uint64_t resident_bytes() const;
  /// Sets the kernel's high-water mark back to now.
  void ResetPeak();
  /// The most that was resident since then.
  std::uint64_t peak_bytes() const;
  /// Lets it end; its exit code, or -1 when a signal ended it.
  int Stop();

 private:
  std::uint64_t StatusLine(const char* name) const;

  pid_t pid_ = -1;
  int input_ = -1;
  int port_ = 0;
};

}  // namespace kvasir::http_test

#endif  // TESTS_HTTP_ATTACK_SERVER_H_
