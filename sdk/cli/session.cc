#include "sdk/cli/session.h"

#include <algorithm>
#include <filesystem>
#include <istream>
#include <utility>

#include "sdk/cli/format.h"

namespace kvasir::cli {

bool Session::StoreFolderIsThere() const {
  const std::string& store = settings_.store;
  std::error_code unknown;
  return std::filesystem::exists(
      store.starts_with("~/") ? HomeFolder(host_) / store.substr(2) : std::filesystem::path(store),
      unknown);
}

bool Session::GivenAsFlag(const std::string& option) const {
  return std::ranges::any_of(origins_, [&](const Origin& origin) {
    return origin.name == option && origin.from == "flag";
  });
}

void Session::SetReasoner(std::string url, std::string model, std::string key_file) {
  settings_.open.reasoner_url = std::move(url);
  settings_.open.reasoner_model = std::move(model);
  settings_.open.reasoner_key_file = std::move(key_file);
}

Result<std::unique_ptr<Memory>> Session::Open(Access access, Model model) const {
  OpenOptions options = settings_.open;
  options.create = access == Access::kCreate;
  options.read_only = access == Access::kRead;
  options.load_model = model == Model::kNeeded;
  auto opened = host_.open(settings_.store, options);
  // A model or an adapter may be what is missing; that message stands as it is.
  if (!opened.ok() && opened.status().code() == StatusCode::kNotFound && !StoreFolderIsThere()) {
    return NotFound(Format("no store at {}; `kvasir remember` makes one, --store names another",
                           settings_.store));
  }
  return opened;
}

Result<std::unique_ptr<Memory>> Session::OpenTemporary() const {
  return host_.open_temporary(settings_.open);
}

Status Session::Confirm(const std::string& question) {
  std::ostream* person = output_.person();
  if (!host_.in_is_terminal || person == nullptr) {
    return InvalidArgument(question +
                           " Nobody is there to ask: give --yes, or look with --dry-run");
  }
  (*person << question << " [y/N] ").flush();
  std::string answer;
  std::getline(*host_.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Status::Ok();
  return Cancelled("nothing was done");
}

}  // namespace kvasir::cli
