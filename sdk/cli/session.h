// What a running command works with.
#ifndef SDK_CLI_SESSION_H_
#define SDK_CLI_SESSION_H_

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "kvasir/memory.h"
#include "sdk/cli/command.h"
#include "sdk/cli/host.h"
#include "sdk/cli/output.h"
#include "sdk/cli/settings.h"

namespace kvasir::cli {

enum class Access {
  kRead,    ///< The store must be there; another process may write to it meanwhile.
  kWrite,   ///< The store must be there; nobody else may hold it.
  kCreate,  ///< As kWrite, made if there is none.
};

enum class Model { kNeeded, kNotNeeded };

class Session {
 public:
  Session(const Host& host, const Settings& settings, std::vector<Origin> origins)
      : host_(host),
        settings_(settings),
        output_(host, settings.format(), settings.quiet),
        origins_(std::move(origins)) {}

  const Host& host() const { return host_; }
  const Settings& settings() const { return settings_; }
  Output& output() { return output_; }
  const std::vector<Origin>& origins() const { return origins_; }
  const std::string& space() const { return settings_.space; }
  std::stop_token stop() const { return host_.stop; }

  /// Was the option given on the command line itself?
  bool GivenAsFlag(const std::string& option) const;

  /// Lets `ask` use an endpoint instead of the local model. Before Open.
  void SetReasoner(std::string url, std::string model, std::string key_file);

  /// Opens the store of --store. Errors as Memory::Open, with what to do about a missing store.
  Result<std::unique_ptr<Memory>> Open(Access access, Model model) const;
  /// A store that is erased when it is closed.
  Result<std::unique_ptr<Memory>> OpenTemporary() const;

  /// Asks a person "question [y/N]". kInvalidArgument ("give --yes") without a terminal,
  /// kCancelled when the answer is not yes.
  Status Confirm(const std::string& question);

  /// Options of a call that has no progress to show.
  CallOptions Quietly() const { return {.progress = {}, .stop = host_.stop}; }

 private:
  bool StoreFolderIsThere() const;

  const Host& host_;
  Settings settings_;
  Output output_;
  std::vector<Origin> origins_;
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_SESSION_H_
