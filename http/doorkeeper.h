// Keeps the door: accepts clients, waits for whole requests without spending a thread on anybody,
// and turns away what the head reader refuses.
#ifndef HTTP_DOORKEEPER_H_
#define HTTP_DOORKEEPER_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/connection.h"
#include "http/problem.h"
#include "kvasir/status.h"

namespace kvasir::http {

struct DoorkeeperOptions {
  std::string address = "127.0.0.1";  ///< Numeric, or "localhost".
  int port = 0;                       ///< 0: any free one.
  std::size_t max_connections = 2048;
  std::size_t max_buffered_bytes = 16 * 1024 * 1024;  ///< Of requests that are not complete yet.
  std::chrono::milliseconds head_timeout{5000};
};

/// One thread with epoll. A request is handed over when its head is valid and its body is here
/// (bodies over 64 KiB: when their head is here); each connection serves one request.
class Doorkeeper {
 public:
  /// Called on the doorkeeper's thread, must not block. False: the queue is full (503).
  using Ready = std::function<bool(std::shared_ptr<Connection>)>;
  /// Told about every request that was refused before it was ready.
  using Refused = std::function<void(const Connection&, const Problem&, const std::string& id)>;

  /// Listens when it returns. Errors: kUnavailable when the address cannot be bound.
  static Result<std::unique_ptr<Doorkeeper>> Open(const DoorkeeperOptions& options, Ready ready,
                                                  Refused refused);
  ~Doorkeeper();
  Doorkeeper(const Doorkeeper&) = delete;
  Doorkeeper& operator=(const Doorkeeper&) = delete;

  int port() const { return port_; }

  /// Gives a connection back: sends its `output`, lets the client finish, closes. Any thread.
  void Finish(std::shared_ptr<Connection> connection);
  /// No new clients from now on. Any thread.
  void StopAccepting();
  /// Waits until every request that came in was answered; false when the time is up.
  bool WaitUntilIdle(std::chrono::milliseconds patience);
  /// Asks every request still in work to stop.
  void CancelAll();

 private:
  Doorkeeper(const DoorkeeperOptions& options, Ready ready, Refused refused);
  Status Listen();
  void Run();
  void Wake();
  void AcceptAll();
  void TakeMessages();
  void Sweep();
  void OnEvent(std::uint64_t number, std::uint32_t events);
  void OnReadable(const std::shared_ptr<Connection>& connection);
  void OnInput(const std::shared_ptr<Connection>& connection);
  void OnHead(const std::shared_ptr<Connection>& connection, std::size_t head_bytes);
  void HandOver(const std::shared_ptr<Connection>& connection);
  void Refuse(const std::shared_ptr<Connection>& connection, const Problem& problem);
  void Flush(const std::shared_ptr<Connection>& connection);
  void Drop(const std::shared_ptr<Connection>& connection);
  void Watch(const Connection& connection, std::uint32_t events);
  void NoteWhetherIdle();

  const DoorkeeperOptions options_;
  const Ready ready_;
  const Refused refused_;
  int listener_ = -1;
  int epoll_ = -1;
  int wake_ = -1;
  int port_ = 0;

  // The thread's alone.
  std::uint64_t next_number_ = 2;
  std::size_t buffered_ = 0;
  bool accepting_ = true;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable idle_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> finished_;
  bool stop_accepting_ = false;
  bool everybody_served_ = false;
  bool closing_ = false;

  std::thread thread_;
};

}  // namespace kvasir::http

#endif  // HTTP_DOORKEEPER_H_
