// kvasir over HTTP: from a request to the SDK and back. The server below knows nothing of memories,
// the SDK above nothing of HTTP.
#ifndef HTTP_SERVICE_H_
#define HTTP_SERVICE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/access_log.h"
#include "http/keys.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/problem.h"
#include "http/router.h"
#include "http/tasks.h"
#include "kvasir/memory.h"

namespace kvasir::http {

struct ServiceOptions {
  /// Names that Host may have beside localhost and loopback addresses: a page elsewhere that
  /// points its own name at 127.0.0.1 is turned away.
  std::vector<std::string> hosts;
  /// Origins, as "https://app.example", whose pages may call; "same origin" always may.
  std::vector<std::string> origins;
  std::string key_file;
  std::string backup_folder;      ///< Where POST /v1/backup puts copies; empty: it refuses.
  std::size_t large_answers = 4;  ///< Pages and answers over 64 KiB until they are read; then 503.
  bool require_key = false;       ///< Also without a key in the file. With one, always.
  std::size_t model_calls = 48;   ///< Calls of Lane::kModel at once; then 503.
  std::size_t large_bodies = 8;   ///< Bodies over 64 KiB held at once; then 503.
  std::chrono::milliseconds ping_interval{15000};
  std::function<void(std::string_view line)> access_log;
  std::function<Status()> ready;  ///< Asked by /readyz beside "open and not draining".
  std::function<std::size_t()> queued;
};

class Service {
 public:
  explicit Service(ServiceOptions options);

  /// From now on requests that need the store are served. `memory` outlives this.
  void Attach(Memory* memory) { memory_ = memory; }
  /// /readyz says no from now on; everything else goes on.
  void StartDraining() { draining_ = true; }
  /// Ends what goes on after its request was answered, at its next group of lines.
  void StopTasks() { tasks_.Stop(); }

  /// Any thread.
  Response Handle(Request& request);
  /// For the log and the metrics: a request that never came this far.
  void NoteRefused(std::string_view remote, const Problem& problem, std::string_view id);

 private:
  struct Exchange;  // One request, from its beginning to its line in the log.

  Answer Dispatch(Exchange& exchange);
  Answer Run(Exchange& exchange, const Route& route, std::string id);
  Status Readiness() const;
  std::optional<Problem> CheckOrigin(const RequestHead& head) const;
  std::optional<Problem> CheckKey(const RequestHead& head, const Route& route,
                                  Principal& principal);
  bool IsOwnHost(std::string_view host) const;
  bool IsListedOrigin(std::string_view origin) const;
  void Close(const Exchange& exchange, const Response& response, std::uint64_t bytes_out);

  const ServiceOptions options_;
  KeyWatch keys_;
  Metrics metrics_;
  AccessLog log_;
  Tasks tasks_;
  std::atomic<Memory*> memory_ = nullptr;
  std::atomic<bool> draining_ = false;
  std::atomic<std::size_t> model_calls_ = 0;
  std::atomic<std::size_t> large_bodies_ = 0;
  std::atomic<std::size_t> large_answers_ = 0;
};

}  // namespace kvasir::http

#endif  // HTTP_SERVICE_H_
