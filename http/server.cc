#include "http/server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "http/doorkeeper.h"
#include "http/random.h"
#include "http/work_queue.h"

namespace kvasir::http {
namespace {

/// What the library reads is a head that we wrote; what it writes is kept until the answer is
/// whole, or sent at once when the answer is a stream.
class WireStream final : public httplib::Stream {
 public:
  WireStream(Connection& connection, std::string head)
      : connection_(connection), head_(std::move(head)) {}

  void SendAtOnce() { at_once_ = true; }

  using httplib::Stream::write;
  bool is_readable() const override { return true; }
  bool is_writable() const override { return !broken_; }
  ssize_t read(char* into, std::size_t size) override {
    const std::size_t count = std::min(size, head_.size() - taken_);
    std::copy_n(head_.data() + taken_, count, into);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    if (!at_once_) {
      connection_.output.append(bytes, size);
    } else if (broken_ || !SendAll(connection_, {bytes, size})) {
      broken_ = true;
      return -1;
    }
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& address, int& port) const override {
    address = connection_.remote;
    port = 0;
  }
  void get_local_ip_and_port(std::string& address, int& port) const override {
    address.clear();
    port = 0;
  }
  // The library would run select() on it, which cannot take descriptors over 1023.
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  Connection& connection_;
  const std::string head_;
  std::size_t taken_ = 0;
  bool at_once_ = false;
  bool broken_ = false;
};

class LibrarySink final : public ResponseSink {
 public:
  explicit LibrarySink(httplib::DataSink& sink) : sink_(sink) {}
  bool Write(std::string_view bytes) override {
    return ok_ = ok_ && sink_.write(bytes.data(), bytes.size());
  }
  bool ok() const { return ok_; }

 private:
  httplib::DataSink& sink_;
  bool ok_ = true;
};

/// cpp-httplib as the writer of answers, one per worker. Its own accept loop, thread pool, header
/// reader and body reader are not used: docs/security.md lists what they let through.
class Writer final : public httplib::Server {
 public:
  Writer() {
    // Its content writers stop at once while this is INVALID_SOCKET; nothing else looks at it.
    svr_sock_ = 0;
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& out) {
      Fill(out);
      return HandlerResponse::Handled;
    });
  }

  void Write(Connection& connection, Response response) {
    response_ = std::move(response);
    connection.hold = std::move(response_.hold);
    one_point_zero_ = connection.head.minor_version == 0;
    // All that the library must know of the request: a HEAD is answered without a body.
    const bool head = connection.head.method == "HEAD";
    WireStream stream(connection, head ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n");
    if (response_.stream) stream.SendAtOnce();
    bool closed = false;
    process_request(stream, true, closed, nullptr);
    response_ = {};
  }

 private:
  void Fill(httplib::Response& out) {
    out.status = response_.status;
    out.reason = ReasonPhrase(response_.status);
    for (const HeaderField& field : response_.headers) out.set_header(field.name, field.value);
    if (!response_.stream) {
      if (response_.status == 204 || response_.status == 304) return;
      out.body = std::move(response_.body);
      out.set_header("Content-Type", response_.content_type);
      return;
    }
    const auto provider = [this](std::size_t, httplib::DataSink& sink) { return Run(sink); };
    if (one_point_zero_) {
      out.set_content_provider(response_.content_type, provider);
    } else {
      out.set_chunked_content_provider(response_.content_type, provider);
    }
  }

  /// False ends the connection without the last chunk: the client sees that something is missing.
  bool Run(httplib::DataSink& sink) {
    LibrarySink out(sink);
    try {
      response_.stream(out);
    } catch (const std::exception&) {
      return false;
    }
    if (out.ok()) sink.done();
    return out.ok();
  }

  Response response_;
  bool one_point_zero_ = false;
};

/// As many connections as the process may have descriptors for, and some left for the store.
std::size_t AllowedConnections(std::size_t wanted) {
  constexpr rlim_t kForTheRest = 512;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = wanted + kForTheRest;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  const rlim_t spare =
      limit.rlim_cur > 2 * kForTheRest ? limit.rlim_cur - kForTheRest : limit.rlim_cur / 2;
  return std::min<std::size_t>(wanted, spare);
}

class GuardedServer final : public Server {
 public:
  GuardedServer(const ServerOptions& options, Handler handler, Refused refused)
      : handler_(std::move(handler)), refused_(std::move(refused)), queue_(options.queue) {}

  Status Open(const ServerOptions& options) {
    DoorkeeperOptions door;
    door.address = options.address;
    door.port = options.port;
    door.max_connections = AllowedConnections(options.connections);
    door.head_timeout = options.head_timeout;
    KVASIR_ASSIGN_OR_RETURN(
        door_, Doorkeeper::Open(
                   door,
                   [this](std::shared_ptr<Connection> connection) {
                     return queue_.TryPush(std::move(connection));
                   },
                   [this](const Connection& connection, const Problem& problem,
                          const std::string& id) { refused_(connection.remote, problem, id); }));
    for (std::size_t i = 0; i < options.workers; ++i) workers_.emplace_back([this] { Work(); });
    return Status::Ok();
  }

  ~GuardedServer() override {
    Drain(std::chrono::milliseconds(0));
    queue_.Close();
    for (std::thread& worker : workers_) worker.join();
  }

  int port() const override { return door_->port(); }
  std::size_t queued() const override { return queue_.size(); }

  bool Drain(std::chrono::milliseconds patience) override {
    if (!door_) return true;
    door_->StopAccepting();
    if (door_->WaitUntilIdle(patience)) return true;
    door_->CancelAll();
    // What was asked to stop ends after its current token or segment.
    constexpr std::chrono::seconds kForStopping{5};
    door_->WaitUntilIdle(kForStopping);
    return false;
  }

 private:
  void Work() {
    Writer writer;
    while (auto connection = queue_.Pop()) {
      writer.Write(*connection, Handle(*connection));
      door_->Finish(std::move(connection));
    }
  }

  Response Handle(Connection& connection) {
    ConnectionBody body(connection);
    Request request;
    request.head = connection.head;
    request.body = &body;
    request.id = RandomHex(8);
    request.remote = connection.remote;
    request.gone = connection.gone.get_token();
    try {
      return handler_(request);
    } catch (const std::exception&) {
      // Not what(): it could quote the request.
      Problem problem;
      problem.detail = "kvasir failed; please report it with this request id.";
      refused_(request.remote, problem, request.id);
      return ProblemResponse(problem, request.id);
    }
  }

  const Handler handler_;
  const Refused refused_;
  WorkQueue<Connection> queue_;
  std::vector<std::thread> workers_;
  // Last, so that it goes first: its thread pushes into the queue.
  std::unique_ptr<Doorkeeper> door_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler,
                                              Refused refused) {
  auto server = std::make_unique<GuardedServer>(options, std::move(handler), std::move(refused));
  KVASIR_RETURN_IF_ERROR(server->Open(options));
  return std::unique_ptr<Server>(std::move(server));
}

bool IsLoopback(std::string_view address) {
  if (address == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24 == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, std::string(address).c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace kvasir::http
