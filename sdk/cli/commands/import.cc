// kvasir import: JSON lines, as `kvasir export` writes them, into the store.
#include <fstream>
#include <memory>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/ingest.h"
#include "sdk/cli/session.h"
#include "sdk/cli/text_files.h"

namespace kvasir::cli {
namespace {

Status Import(const std::vector<std::string>& paths, Session& session) {
  RememberRequest defaults;
  defaults.space = session.space();
  defaults.provenance.channel = "import";
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    if (path != "-") names.push_back(path);
  }
  KVASIR_ASSIGN_OR_RETURN(const std::vector<FoundFile> files, FindFiles(names));
  const bool input = names.size() < paths.size();
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kCreate, Model::kNeeded));
  std::uint64_t total = 0;
  for (const FoundFile& file : files) total += file.bytes;
  Ingest ingest(memory.get(), &session.output(), session.stop(), input ? 0 : total);
  Status going;
  for (std::size_t i = 0; i < files.size() && going.ok(); ++i) {
    std::ifstream stream(files[i].path, std::ios::binary);
    const std::string name = files[i].path.string();
    if (stream) {
      going = ingest.AddJsonLines(&stream, name, defaults);
    } else {
      ingest.Fail(PermissionDenied(name + ": cannot be read"));
    }
  }
  if (input && going.ok()) {
    going = ingest.AddJsonLines(session.host().in, "standard input", defaults);
  }
  return ingest.Finish();
}

}  // namespace

Command ImportCommand() {
  auto paths = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "import";
  command.summary = "Put exported JSON lines into the store";
  command.arguments = {"FILE", "JSON lines, - for standard input", paths.get(), 1, 1 << 20};
  command.run = [paths](Session& session) { return Import(*paths, session); };
  return command;
}

}  // namespace kvasir::cli
