#include "tests/http/attack_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

extern char** environ;

namespace kvasir::http_test {

AttackServer::AttackServer() {
  int input[2];
  int output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  std::string path = KVASIR_ATTACKED_SERVER;
  char* arguments[] = {path.data(), nullptr};
  const int failed = posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  std::string line;
  char byte = 0;
  while (failed == 0 && read(output[0], &byte, 1) == 1 && byte != '\n') line.push_back(byte);
  close(output[0]);
  if (line.empty()) throw std::runtime_error("the server did not start");
  port_ = std::stoi(line);
}

AttackServer::~AttackServer() { Stop(); }

int AttackServer::Stop() {
  if (pid_ < 0) return 0;
  close(std::exchange(input_, -1));
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::uint64_t AttackServer::StatusLine(const char* name) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  std::uint64_t kilobytes = 0;
  while (file >> word) {
    if (word == name && file >> kilobytes) return kilobytes * 1024;
  }
  throw std::runtime_error("the server is gone");
}

std::uint64_t AttackServer::resident_bytes() const { return StatusLine("VmRSS:"); }

std::uint64_t AttackServer::peak_bytes() const { return StatusLine("VmHWM:"); }

void AttackServer::ResetPeak() {
  std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << "5";
}

}  // namespace kvasir::http_test
