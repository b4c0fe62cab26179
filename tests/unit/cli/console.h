// Runs commands against a FakeStore and keeps what they print.
#ifndef TESTS_UNIT_CLI_CONSOLE_H_
#define TESTS_UNIT_CLI_CONSOLE_H_

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sdk/cli/command_line.h"
#include "sdk/cli/json.h"
#include "tests/unit/cli/fake_memory.h"

namespace kvasir::cli {

class Console {
 public:
  Console() {
    std::string name = (std::filesystem::temp_directory_path() / "kvasir_cli_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    environment["HOME"] = folder_.string();
  }
  ~Console() { std::filesystem::remove_all(folder_); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// The exit code; `out` and `err` hold what was printed.
  int Run(const std::vector<std::string>& words) {
    std::istringstream in(input);
    std::ostringstream out_stream;
    std::ostringstream err_stream;
    Host host;
    host.in = &in;
    host.out = &out_stream;
    host.err = &err_stream;
    host.in_is_terminal = host.err_is_terminal = terminal;
    host.stop = stop.get_token();
    host.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    host.open = [this](const std::string& path, const OpenOptions& options) {
      opened = path;
      return OpenFake(options);
    };
    host.open_temporary = [this](const OpenOptions& options) { return OpenFake(options); };
    const ExitCode code = RunCommandLine(words, host);
    out = out_stream.str();
    err = err_stream.str();
    return static_cast<int>(code);
  }

  /// Writes a file into the console's own folder; its path.
  std::string File(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  std::string folder() const { return folder_.string(); }
  Json OutJson() const { return Json::parse(out); }

  FakeStore store;
  std::map<std::string, std::string> environment;
  std::string input;
  bool terminal = false;
  std::stop_source stop;
  std::string opened;
  std::string out;
  std::string err;

 private:
  Result<std::unique_ptr<Memory>> OpenFake(const OpenOptions& options) {
    store.opens.push_back(options);
    return std::unique_ptr<Memory>(std::make_unique<FakeMemory>(&store));
  }

  std::filesystem::path folder_;
};

}  // namespace kvasir::cli

#endif  // TESTS_UNIT_CLI_CONSOLE_H_
