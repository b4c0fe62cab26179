#include "http/doorkeeper.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "http/head.h"
#include "http/random.h"

namespace kvasir::http {
namespace {

constexpr std::uint64_t kListenerNumber = 0;
constexpr std::uint64_t kWakeNumber = 1;
/// Larger bodies are read by the worker that wants them, so that they never wait in memory.
constexpr std::uint64_t kSmallBodyBytes = 64 * 1024;
constexpr std::chrono::milliseconds kSweepEvery{100};
/// How long a client may take to read our last bytes and close, see Flush().
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr int kBacklog = 1024;

Problem Overloaded(std::string detail) {
  Problem problem;
  problem.status = 503;
  problem.code = "overloaded";
  problem.detail = std::move(detail);
  problem.retryable = true;
  problem.retry_after_s = 1;
  return problem;
}

Problem TooLong(std::string_view input) {
  Problem problem;
  const bool in_first_line = input.find("\r\n") == std::string_view::npos;
  problem.status = in_first_line ? 414 : 431;
  problem.code = in_first_line ? "uri_too_long" : "headers_too_large";
  problem.detail = "The request's head is over its bound of " + std::to_string(kMaxHeadBytes) +
                   " bytes (4096 for the target, 8192 for the header fields).";
  return problem;
}

Problem TooSlow() {
  Problem problem;
  problem.status = 408;
  problem.code = "request_timeout";
  problem.detail = "The request did not arrive in time.";
  problem.retryable = true;
  return problem;
}

Status SystemError(const std::string& what) {
  return Unavailable(what + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<Doorkeeper>> Doorkeeper::Open(const DoorkeeperOptions& options, Ready ready,
                                                     Refused refused) {
  std::unique_ptr<Doorkeeper> keeper(new Doorkeeper(options, std::move(ready), std::move(refused)));
  KVASIR_RETURN_IF_ERROR(keeper->Listen());
  keeper->thread_ = std::thread([raw = keeper.get()] { raw->Run(); });
  return keeper;
}

Doorkeeper::Doorkeeper(const DoorkeeperOptions& options, Ready ready, Refused refused)
    : options_(options), ready_(std::move(ready)), refused_(std::move(refused)) {}

Doorkeeper::~Doorkeeper() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  if (thread_.joinable()) {
    Wake();
    thread_.join();
  }
  for (const int fd : {listener_, epoll_, wake_}) {
    if (fd >= 0) close(fd);
  }
}

Status Doorkeeper::Listen() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(options_.port);
  if (getaddrinfo(options_.address.c_str(), service.c_str(), &hints, &found) != 0) {
    return InvalidArgument("\"" + options_.address + "\" is not an address of this machine");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const std::string where = options_.address + " port " + service;
  listener_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return SystemError(where);
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener_, found->ai_addr, found->ai_addrlen) != 0 || listen(listener_, kBacklog) != 0) {
    return SystemError("cannot listen on " + where);
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &length);
  // sin_port and sin6_port lie at the same place.
  port_ = ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);

  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wake_ < 0) return SystemError("epoll");
  for (const auto& [fd, number] : {std::pair(listener_, kListenerNumber), {wake_, kWakeNumber}}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return SystemError("epoll");
  }
  return Status::Ok();
}

void Doorkeeper::Finish(std::shared_ptr<Connection> connection) {
  {
    std::lock_guard lock(mutex_);
    finished_.push_back(std::move(connection));
  }
  Wake();
}

void Doorkeeper::StopAccepting() {
  {
    std::lock_guard lock(mutex_);
    stop_accepting_ = true;
  }
  Wake();
}

bool Doorkeeper::WaitUntilIdle(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, patience, [this] { return everybody_served_; });
}

void Doorkeeper::CancelAll() {
  std::vector<std::shared_ptr<Connection>> all;
  {
    std::lock_guard lock(mutex_);
    all.reserve(connections_.size());
    for (const auto& [number, connection] : connections_) all.push_back(connection);
  }
  // Outside of the lock: stopping runs callbacks.
  for (const auto& connection : all) connection->gone.request_stop();
}

void Doorkeeper::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void Doorkeeper::Run() {
  std::array<epoll_event, 256> events;
  auto next_sweep = Clock::now() + kSweepEvery;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(kSweepEvery.count()));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == kListenerNumber) {
        AcceptAll();
      } else if (event.data.u64 != kWakeNumber) {
        OnEvent(event.data.u64, event.events);
      }
    }
    TakeMessages();
    if (Clock::now() >= next_sweep) {
      Sweep();
      next_sweep = Clock::now() + kSweepEvery;
    }
    std::lock_guard lock(mutex_);
    if (closing_) return;
  }
}

void Doorkeeper::AcceptAll() {
  while (accepting_) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;  // None left, or no descriptors left: the backlog keeps them.
    char name[NI_MAXHOST] = "unknown";
    getnameinfo(reinterpret_cast<const sockaddr*>(&peer), length, name, sizeof name, nullptr, 0,
                NI_NUMERICHOST);
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto connection = std::make_shared<Connection>(fd, next_number_++, name);
    connection->deadline = Clock::now() + options_.head_timeout;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = connection->number;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) continue;
    const bool full = connections_.size() >= options_.max_connections;
    {
      std::lock_guard lock(mutex_);
      connections_.emplace(connection->number, connection);
    }
    if (full) Refuse(connection, Overloaded("Too many connections at once."));
  }
}

void Doorkeeper::TakeMessages() {
  std::uint64_t ignored = 0;
  while (read(wake_, &ignored, sizeof ignored) > 0) {
  }
  std::vector<std::shared_ptr<Connection>> finished;
  bool stop = false;
  {
    std::lock_guard lock(mutex_);
    finished.swap(finished_);
    stop = stop_accepting_;
  }
  for (const auto& connection : finished) {
    if (!connections_.contains(connection->number)) continue;
    connection->stage = Connection::Stage::kFlush;
    connection->deadline = Clock::now() + TransferTime(connection->output.size());
    Flush(connection);
  }
  if (stop && accepting_) {
    accepting_ = false;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr);
    close(std::exchange(listener_, -1));
  }
  if (stop) NoteWhetherIdle();
}

/// Who has said nothing yet is owed nothing; everybody else gets an answer.
void Doorkeeper::NoteWhetherIdle() {
  const bool idle = std::all_of(connections_.begin(), connections_.end(), [](const auto& entry) {
    const Connection& connection = *entry.second;
    return connection.stage == Connection::Stage::kLinger ||
           (connection.stage == Connection::Stage::kHead && connection.input.empty());
  });
  std::lock_guard lock(mutex_);
  everybody_served_ = idle;
  if (idle) idle_.notify_all();
}

void Doorkeeper::Sweep() {
  const auto now = Clock::now();
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& [number, connection] : connections_) {
    if (connection->stage != Connection::Stage::kServing && connection->deadline <= now) {
      late.push_back(connection);
    }
  }
  for (const auto& connection : late) {
    const bool asking = connection->stage == Connection::Stage::kHead ||
                        connection->stage == Connection::Stage::kBody;
    if (asking && !connection->input.empty()) {
      Refuse(connection, TooSlow());
    } else {
      Drop(connection);
    }
  }
}

void Doorkeeper::OnEvent(std::uint64_t number, std::uint32_t events) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  const auto connection = found->second;
  switch (connection->stage) {
    case Connection::Stage::kServing:
      // Registered once and only for hanging up: nginx and we take a closed side for a lost client.
      connection->gone.request_stop();
      return;
    case Connection::Stage::kFlush:
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) return Drop(connection);
      return Flush(connection);
    case Connection::Stage::kHead:
    case Connection::Stage::kBody:
    case Connection::Stage::kLinger:
      return OnReadable(connection);
  }
}

void Doorkeeper::OnReadable(const std::shared_ptr<Connection>& connection) {
  std::array<char, 16 * 1024> buffer;
  const ssize_t count = recv(connection->fd, buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (count <= 0) return Drop(connection);
  if (connection->stage == Connection::Stage::kLinger) return;
  connection->input.append(buffer.data(), static_cast<std::size_t>(count));
  buffered_ += static_cast<std::size_t>(count);
  OnInput(connection);
}

void Doorkeeper::OnInput(const std::shared_ptr<Connection>& connection) {
  if (buffered_ > options_.max_buffered_bytes) {
    return Refuse(connection, Overloaded("Too many unfinished requests at once."));
  }
  if (connection->stage == Connection::Stage::kBody) {
    if (connection->input.size() >= connection->head.content_length) HandOver(connection);
    return;
  }
  const std::string& input = connection->input;
  const std::size_t from = connection->scanned < 3 ? 0 : connection->scanned - 3;
  const auto end = input.find("\r\n\r\n", from);
  // A line that ends in a bare LF never ends a head here, so it must not be waited for either.
  const auto newline = input.find('\n', from);
  const bool bare = newline < end && (newline == 0 || input[newline - 1] != '\r');
  connection->scanned = input.size();
  if (bare || (end != std::string::npos && end + 4 <= kMaxHeadBytes)) {
    return OnHead(connection, bare ? newline + 1 : end + 4);
  }
  if (input.size() >= kMaxHeadBytes) return Refuse(connection, TooLong(input));
}

void Doorkeeper::OnHead(const std::shared_ptr<Connection>& connection, std::size_t head_bytes) {
  auto parsed = ParseHead(std::string_view(connection->input).substr(0, head_bytes));
  if (auto* problem = std::get_if<Problem>(&parsed)) return Refuse(connection, *problem);
  connection->head = std::get<RequestHead>(std::move(parsed));
  buffered_ -= head_bytes;
  connection->input.erase(0, head_bytes);
  const std::uint64_t length = connection->head.content_length;
  const bool whole = connection->input.size() >= length;
  if (!whole && connection->head.Header("expect")) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // The first bytes on an empty socket always fit; a broken one is noticed when it is read.
    send(connection->fd, kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
  }
  if (whole || length > kSmallBodyBytes) return HandOver(connection);
  connection->stage = Connection::Stage::kBody;
  connection->deadline = Clock::now() + options_.head_timeout;
}

void Doorkeeper::HandOver(const std::shared_ptr<Connection>& connection) {
  buffered_ -= connection->input.size();
  // What follows the body is never read as another request: this connection serves one.
  if (connection->input.size() > connection->head.content_length) {
    connection->input.resize(connection->head.content_length);
  }
  connection->stage = Connection::Stage::kServing;
  Watch(*connection, EPOLLRDHUP | EPOLLONESHOT);
  if (!ready_(connection)) Refuse(connection, Overloaded("The queue is full."));
}

void Doorkeeper::Refuse(const std::shared_ptr<Connection>& connection, const Problem& problem) {
  const std::string id = RandomHex(8);
  if (connection->stage != Connection::Stage::kServing) buffered_ -= connection->input.size();
  connection->input.clear();
  connection->output = ProblemBytes(problem, id);
  connection->stage = Connection::Stage::kFlush;
  connection->deadline = Clock::now() + TransferTime(0);
  refused_(*connection, problem, id);
  Flush(connection);
}

/// Sends what is left, then says that we are done and reads on for a moment: closing a socket with
/// unread bytes would reset it, and the client would lose the answer.
void Doorkeeper::Flush(const std::shared_ptr<Connection>& connection) {
  while (connection->sent < connection->output.size()) {
    const ssize_t count = send(connection->fd, connection->output.data() + connection->sent,
                               connection->output.size() - connection->sent, MSG_NOSIGNAL);
    if (count > 0) {
      connection->sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return Watch(*connection, EPOLLOUT);
    } else if (errno != EINTR) {
      return Drop(connection);
    }
  }
  std::string().swap(connection->output);
  std::string().swap(connection->input);
  connection->sent = 0;
  connection->hold.reset();
  connection->stage = Connection::Stage::kLinger;
  connection->deadline = Clock::now() + kLingerTime;
  shutdown(connection->fd, SHUT_WR);
  Watch(*connection, EPOLLIN | EPOLLRDHUP);
}

void Doorkeeper::Drop(const std::shared_ptr<Connection>& connection) {
  if (connection->stage == Connection::Stage::kHead ||
      connection->stage == Connection::Stage::kBody) {
    buffered_ -= connection->input.size();
  }
  // Taken out of epoll here: a worker's copy may keep the descriptor open a little longer.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, connection->fd, nullptr);
  std::lock_guard lock(mutex_);
  connections_.erase(connection->number);
}

void Doorkeeper::Watch(const Connection& connection, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = connection.number;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

}  // namespace kvasir::http
