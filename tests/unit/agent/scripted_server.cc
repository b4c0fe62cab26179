#include "tests/unit/agent/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace kvasir::agent {

ScriptedServer::ScriptedServer(std::vector<std::string> pieces, bool hang)
    : pieces_(std::move(pieces)), hang_(hang) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, length) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, generic, &length) != 0 || ::pipe(wake_) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

ScriptedServer::~ScriptedServer() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

std::string ScriptedServer::request() const {
  const std::lock_guard lock(mutex_);
  return request_;
}

void ScriptedServer::Serve() {
  for (;;) {
    pollfd events[2] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    if (::poll(events, 2, -1) < 0 || events[1].revents != 0) return;
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    std::string request = ReadRequest(connection);
    {
      const std::lock_guard lock(mutex_);
      request_ = std::move(request);
    }
    for (const std::string& piece : pieces_) {
      if (::send(connection, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    }
    if (hang_) {
      pollfd silent[2] = {{connection, POLLIN, 0}, {wake_[0], POLLIN, 0}};
      ::poll(silent, 2, -1);
    }
    ::close(connection);
  }
}

std::string ScriptedServer::ReadRequest(int connection) const {
  std::string request;
  std::size_t wanted = std::string::npos;
  char buffer[4096];
  while (request.size() < wanted) {
    const ssize_t count = ::recv(connection, buffer, sizeof(buffer), 0);
    if (count <= 0) break;
    request.append(buffer, static_cast<std::size_t>(count));
    const std::size_t body = request.find("\r\n\r\n");
    const std::size_t field = request.find("Content-Length: ");
    if (body == std::string::npos || field == std::string::npos) continue;
    wanted = body + 4 + std::stoul(request.substr(field + 16));
  }
  return request;
}

std::string StreamHead() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
}

std::string Delta(const std::string& text) {
  return "data: {\"model\":\"scripted-1\",\"choices\":[{\"delta\":{\"content\":\"" + text +
         "\"}}]}\n\n";
}

}  // namespace kvasir::agent
