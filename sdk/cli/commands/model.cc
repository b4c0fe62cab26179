// kvasir model: fetch the default model, list what is in the cache.
#include <algorithm>
#include <memory>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/model_cache.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

namespace fs = std::filesystem;

void PrintPath(const fs::path& path, bool present, Output* output) {
  output->Line(output->human() ? path.string()
                               : Dump({{"path", path.string()}, {"present", present}}));
}

Status Pull(Session& session) {
  KVASIR_RETURN_IF_ERROR(FetchDefaultModel(session.host()));
  PrintPath(ModelFolder(session.host()) / kDefaultModel, true, &session.output());
  return Status::Ok();
}

Status Path(Session& session) {
  const std::string& chosen = session.settings().open.model;
  const fs::path path =
      chosen.empty() ? ModelFolder(session.host()) / kDefaultModel : fs::path(chosen);
  std::error_code absent;
  const bool present = fs::exists(path, absent);
  PrintPath(path, present, &session.output());
  if (present) return Status::Ok();
  return NotFound(path.string() + ": is not there; `kvasir model pull` fetches the default model");
}

Status List(Session& session) {
  Output& output = session.output();
  std::vector<fs::path> files;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(ModelFolder(session.host()), absent)) {
    const bool hidden = entry.path().filename().string().starts_with('.');
    if (!hidden) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  Json list = Json::array();
  for (const fs::path& file : files) {
    const std::uintmax_t bytes =
        fs::is_regular_file(file, absent) ? fs::file_size(file, absent) : 0;
    const Json row = {{"path", file.string()},
                      {"bytes", bytes},
                      {"default", file.filename().string() == kDefaultModel}};
    if (output.json()) list.push_back(row);
    if (output.json_lines()) output.Line(Dump(row));
    if (output.human()) {
      output.Line(Format("{}  {}", file.string(), ByteCount(static_cast<double>(bytes))));
    }
  }
  if (output.json()) output.Line(Dump({{"models", list}}));
  if (files.empty()) output.Note("no models yet; `kvasir model pull` fetches the default one");
  return Status::Ok();
}

Status Run(const std::string& what, Session& session) {
  if (what == "pull") return Pull(session);
  if (what == "list") return List(session);
  if (what == "path") return Path(session);
  return InvalidArgument(Format("'{}' is none of: pull, list, path", what));
}

}  // namespace

Command ModelCommand() {
  auto words = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "model";
  command.summary = "Fetch the default model, list models: pull, list, path";
  command.arguments = {"ACTION", "pull, list or path", words.get(), 1, 1};
  command.run = [words](Session& session) { return Run(words->front(), session); };
  return command;
}

}  // namespace kvasir::cli
