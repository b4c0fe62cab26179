#include "tests/cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace kvasir::cli {
namespace {

namespace fs = std::filesystem;

std::vector<char*> Pointers(std::vector<std::string>* words) {
  std::vector<char*> pointers;
  for (std::string& word : *words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Forks; the child runs the command in `folder` with the three descriptors.
pid_t Launch(const fs::path& folder, const Invocation& invocation, int in, int out, int err) {
  std::vector<std::string> words = invocation.starter;
  words.emplace_back(KVASIR_COMMAND);
  words.insert(words.end(), invocation.words.begin(), invocation.words.end());
  std::vector<std::string> variables = {"HOME=" + (folder / "home").string(), "PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : invocation.environment) variables.push_back(name + "=" + value);
  const std::vector<char*> arguments = Pointers(&words);
  const std::vector<char*> environment = Pointers(&variables);
  const pid_t child = fork();
  if (child != 0) return child;
  if (chdir(folder.c_str()) != 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
    _exit(99);
  }
  execvpe(arguments[0], arguments.data(), environment.data());
  _exit(98);
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int OpenForWriting(const fs::path& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

}  // namespace

Place::Place() {
  std::string name = (fs::temp_directory_path() / "kvasir_place_XXXXXX").string();
  folder_ = mkdtemp(name.data());
  const fs::path cache = folder_ / "home" / ".cache" / "kvasir";
  fs::create_directories(cache);
  if (ModelIsHere()) fs::create_directory_symlink(RealModel().parent_path(), cache / "models");
}

Place::~Place() {
  std::error_code left;
  fs::remove_all(folder_, left);
}

std::string Place::Write(const std::string& name, const std::string& content) const {
  const fs::path path = folder_ / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

Outcome Place::Run(const Invocation& invocation) const {
  const fs::path in_path = folder_ / ".in";
  const fs::path out_path =
      invocation.stdout_path.empty() ? folder_ / ".out" : fs::path(invocation.stdout_path);
  const fs::path err_path = folder_ / ".err";
  std::ofstream(in_path, std::ios::binary) << invocation.input;
  const int in = open(in_path.c_str(), O_RDONLY | O_CLOEXEC);
  const int out = OpenForWriting(out_path);
  const int err = OpenForWriting(err_path);
  Outcome outcome;
  outcome.exit_code = WaitFor(Launch(folder_, invocation, in, out, err));
  close(in);
  close(out);
  close(err);
  if (invocation.stdout_path.empty()) outcome.out = ReadFile(out_path);
  outcome.err = ReadFile(err_path);
  return outcome;
}

WaitingProcess::WaitingProcess(const Place& place, const std::vector<std::string>& words) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const int nowhere = OpenForWriting("/dev/null");
  Invocation invocation;
  invocation.words = words;
  pid_ = Launch(place.folder(), invocation, ends[0], nowhere, nowhere);
  close(ends[0]);
  close(nowhere);
  input_ = ends[1];
}

WaitingProcess::~WaitingProcess() {
  if (pid_ > 0) Finish();
}

void WaitingProcess::Feed(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = write(input_, bytes.data() + sent, bytes.size() - sent);
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

void WaitingProcess::Signal(int number) const { kill(pid_, number); }

int WaitingProcess::Wait() {
  const int code = WaitFor(std::exchange(pid_, -1));
  if (input_ >= 0) close(std::exchange(input_, -1));
  return code;
}

int WaitingProcess::Finish() {
  close(std::exchange(input_, -1));
  return Wait();
}

std::vector<std::string> WithMounts(const std::string& mounts) {
  return {"unshare", "-rm", "sh", "-c", mounts + " && exec \"$0\" \"$@\""};
}

bool CanMount() {
  const pid_t child = fork();
  if (child == 0) {
    // Its complaint would be in the middle of the test's own output.
    if (dup2(OpenForWriting("/dev/null"), 2) < 0) _exit(99);
    execlp("unshare", "unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt", nullptr);
    _exit(98);
  }
  return WaitFor(child) == 0;
}

fs::path RealModel() {
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "" : home) / ".cache" / "kvasir" / "models" /
         "SmolLM2-135M-Instruct.Q4_1.gguf";
}

bool ModelIsHere() {
  std::error_code absent;
  return fs::exists(RealModel(), absent);
}

std::string ReadFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace kvasir::cli
