// Runs the real command and keeps what it says.
#ifndef TESTS_CLI_PROCESS_H_
#define TESTS_CLI_PROCESS_H_

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kvasir::cli {

struct Outcome {
  int exit_code = -1;  ///< 128 + the signal's number when a signal ended it.
  std::string out;
  std::string err;
};

struct Invocation {
  std::vector<std::string> words;
  std::string input;
  std::map<std::string, std::string> environment;  ///< Beside HOME and PATH.
  std::string stdout_path;                         ///< Instead of keeping it: /dev/full.
  std::vector<std::string> starter{};              ///< A program and its words that start it.
};

/// A folder of its own for one test, with a home whose model cache is the real one, gone at the
/// end.
class Place {
 public:
  Place();
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path store() const { return folder_ / "store"; }
  std::string Write(const std::string& name, const std::string& content) const;

  Outcome Run(const Invocation& invocation) const;

 private:
  std::filesystem::path folder_;
};

/// A command that waits for its standard input to end, which the destructor does.
class WaitingProcess {
 public:
  WaitingProcess(const Place& place, const std::vector<std::string>& words);
  ~WaitingProcess();
  WaitingProcess(const WaitingProcess&) = delete;
  WaitingProcess& operator=(const WaitingProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// Sends bytes to its standard input.
  void Feed(const std::string& bytes) const;
  void Signal(int number) const;
  /// Waits while its input stays open; the exit code.
  int Wait();
  /// Ends its input and waits; the exit code.
  int Finish();

 private:
  pid_t pid_ = -1;
  int input_ = -1;
};

/// Words that start a command in a mount namespace of its own, after the shell commands `mounts`.
std::vector<std::string> WithMounts(const std::string& mounts);
/// May this user do that here?
bool CanMount();

/// Is the default model in the user's cache?
bool ModelIsHere();
std::filesystem::path RealModel();
std::string ReadFile(const std::filesystem::path& path);

}  // namespace kvasir::cli

#endif  // TESTS_CLI_PROCESS_H_
