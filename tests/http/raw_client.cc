#include "tests/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace kvasir::http_test {

RawClient::RawClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the server");
  }
  const int yes = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

RawClient::~RawClient() { Close(); }

RawClient::RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

void RawClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string RawClient::ReadAll(std::chrono::milliseconds patience) {
  return ReadUntil({}, patience);
}

std::string RawClient::ReadUntil(std::string_view marker, std::chrono::milliseconds patience) {
  std::string all;
  std::array<char, 64 * 1024> buffer;
  while (marker.empty() || all.find(marker) == std::string::npos) {
    pollfd entry{fd_, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(patience.count())) <= 0) break;
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return all;
}

namespace {

/// Takes the chunks off `bytes`; true when the last one was there.
bool Dechunk(std::string& bytes, std::string& body) {
  while (true) {
    const auto end = bytes.find("\r\n");
    if (end == std::string::npos) return false;
    const std::size_t size = std::stoul(bytes.substr(0, end), nullptr, 16);
    if (bytes.size() < end + 2 + size + 2) return false;
    body.append(bytes, end + 2, size);
    bytes.erase(0, end + 2 + size + 2);
    if (size == 0) return true;
  }
}

}  // namespace

Reply ParseReply(const std::string& bytes) {
  Reply reply;
  std::string rest = bytes;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (rest.starts_with(kContinue)) rest.erase(0, kContinue.size());
  const auto end = rest.find("\r\n\r\n");
  if (!rest.starts_with("HTTP/1.1 ") || end == std::string::npos) return reply;
  reply.status = std::stoi(rest.substr(9, 3));
  std::string head = rest.substr(0, end + 2);
  rest.erase(0, end + 4);
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto stop = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    reply.headers[name] = head.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  if (reply.headers.contains("transfer-encoding")) {
    reply.whole = Dechunk(rest, reply.body);
    reply.rest = rest;
  } else if (reply.headers.contains("content-length")) {
    const std::size_t length = std::stoul(reply.headers["content-length"]);
    reply.whole = rest.size() >= length;
    reply.body = rest.substr(0, length);
    reply.rest = reply.whole ? rest.substr(length) : "";
  } else {
    reply.whole = true;
    reply.body = rest;
  }
  return reply;
}

std::string Request(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view extra, std::string_view content_type) {
  std::string bytes = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (extra.find("Host:") == std::string_view::npos) bytes += "Host: 127.0.0.1\r\n";
  bytes += extra;
  if (!body.empty()) {
    bytes += "Content-Type: " + std::string(content_type) + "\r\n";
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return bytes + "\r\n" + std::string(body);
}

Reply Exchange(int port, std::string_view bytes) {
  RawClient client(port);
  client.Send(bytes);
  return ParseReply(client.ReadAll());
}

Reply Fetch(int port, std::string_view method, std::string_view target, std::string_view body,
            std::string_view extra) {
  return Exchange(port, Request(method, target, body, extra));
}

}  // namespace kvasir::http_test
