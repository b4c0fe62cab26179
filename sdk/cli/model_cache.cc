#include "sdk/cli/model_cache.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "sdk/cli/exit_code.h"
#include "sdk/cli/format.h"
#include "sdk/cli/settings.h"

namespace kvasir::cli {
namespace {

/// Starts `program` with `argument`, its standard output sent to ours for errors, its signals as a
/// fresh process has them (we block SIGINT and SIGTERM).
Result<pid_t> Start(const std::string& program, const std::string& argument) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string program_word = program;
  std::string argument_word = argument;
  char* const words[] = {program_word.data(), argument_word.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Unavailable(Format("{}: {}", program, std::strerror(error)));
  return child;
}

/// The child's exit code; a stop is passed on to it.
int WaitFor(pid_t child, const std::stop_token& stop) {
  constexpr auto kBetween = std::chrono::milliseconds(50);
  int status = 0;
  bool told = false;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (stop.stop_requested() && !told) {
      kill(child, SIGTERM);
      told = true;
    }
    std::this_thread::sleep_for(kBetween);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::kInterrupted);
}

}  // namespace

std::filesystem::path ModelFolder(const Host& host) {
  return HomeFolder(host) / ".cache" / "kvasir" / "models";
}

Status FetchDefaultModel(const Host& host) {
  const std::filesystem::path script =
      host.executable.parent_path().parent_path() / "libexec" / "kvasir" / "fetch-model";
  KVASIR_ASSIGN_OR_RETURN(const pid_t child, Start(script, ModelFolder(host)));
  const int code = WaitFor(child, host.stop);
  switch (static_cast<ExitCode>(code)) {
    case ExitCode::kOk:
      return Status::Ok();
    case ExitCode::kInterrupted:
      return Cancelled("interrupted; the same command again goes on");
    case ExitCode::kCorruption:
      return Corruption("the fetched file is not the model (SHA-256 differs); nothing was kept");
    case ExitCode::kNoSpace:
      return NoSpace(Format("no space in {}: 300 MB are needed", ModelFolder(host).string()));
    default:
      return Unavailable(
          Format("the model could not be fetched (exit {}); the reason is above", code));
  }
}

}  // namespace kvasir::cli
