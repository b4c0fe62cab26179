// A whole server on a free port in front of a scripted memory.
#ifndef TESTS_HTTP_TEST_SERVICE_H_
#define TESTS_HTTP_TEST_SERVICE_H_

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/json.h"
#include "http/server.h"
#include "http/service.h"
#include "tests/http/raw_client.h"
#include "tests/http/scripted_memory.h"

namespace kvasir::http_test {

class TestService {
 public:
  explicit TestService(http::ServiceOptions options = {}, http::ServerOptions server = {}) {
    options.access_log = [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      log_ += line;
    };
    service_ = std::make_unique<http::Service>(std::move(options));
    service_->Attach(&memory_);
    auto started = http::Server::Start(
        server, [this](http::Request& request) { return service_->Handle(request); },
        [this](std::string_view remote, const http::Problem& problem, std::string_view id) {
          service_->NoteRefused(remote, problem, id);
        });
    if (!started.ok()) throw std::runtime_error(started.status().message());
    server_ = *std::move(started);
  }

  int port() const { return server_->port(); }
  ScriptedMemory& memory() { return memory_; }
  http::Service& service() { return *service_; }
  http::Server& server() { return *server_; }
  std::string log() {
    std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  ScriptedMemory memory_;
  std::mutex mutex_;
  std::string log_;
  std::unique_ptr<http::Service> service_;
  std::unique_ptr<http::Server> server_;
};

/// The body as JSON; null when it is none.
inline http::Json BodyOf(const Reply& reply) {
  return http::Json::parse(reply.body, nullptr, false);
}

}  // namespace kvasir::http_test

#endif  // TESTS_HTTP_TEST_SERVICE_H_
