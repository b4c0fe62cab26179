// A server for the attack tests: says its port on standard output, ends when its input ends.
#include <malloc.h>

#include <chrono>
#include <iostream>
#include <string>

#include "tests/http/test_service.h"

int main() {
  mallopt(M_ARENA_MAX, 4);  // As `kvasir serve` does.
  kvasir::http::ServerOptions options;
  // A slow client is thrown out after this; the tests wait for it.
  options.head_timeout = std::chrono::milliseconds(2000);
  kvasir::http_test::TestService server({}, options);
  std::cout << server.port() << std::endl;
  std::string ignored;
  while (std::getline(std::cin, ignored)) {
  }
  return server.server().Drain(std::chrono::seconds(1)) ? 0 : 1;
}
