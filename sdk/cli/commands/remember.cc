// kvasir remember: files, folders, JSON lines, standard input or one sentence into the store.
#include <fstream>
#include <memory>
#include <utility>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/ingest.h"
#include "sdk/cli/line_reader.h"
#include "sdk/cli/memory_row.h"
#include "sdk/cli/session.h"
#include "sdk/cli/text_files.h"

namespace kvasir::cli {
namespace {

enum class InputFormat { kAuto, kText, kJsonLines };

struct Remember {
  std::vector<std::string> paths;
  std::optional<std::string> text;
  std::optional<Metadata> metadata;
  RememberRequest defaults;
  InputFormat format = InputFormat::kAuto;

  Status Run(Session& session);
  Status AddFile(const FoundFile& file, Ingest* ingest) const;
  Status AddInput(std::istream* in, Ingest* ingest) const;
};

/// A text of unknown size; more than a memory may hold is refused, not cut.
Result<std::string> ReadAll(std::istream* in, std::string text) {
  for (int next = in->rdbuf()->sbumpc(); next != EOF; next = in->rdbuf()->sbumpc()) {
    if (text.size() == kMaxMemoryBytes) {
      return InvalidArgument("standard input: longer than 8 MiB; split it, or give JSON lines");
    }
    text += static_cast<char>(next);
  }
  if (text.empty()) return InvalidArgument("standard input: is empty");
  if (!IsText(text)) return InvalidArgument("standard input: is no UTF-8 text");
  return text;
}

Status Remember::AddInput(std::istream* in, Ingest* ingest) const {
  const int first = in->rdbuf()->sgetc();
  const bool rows =
      format == InputFormat::kJsonLines || (format == InputFormat::kAuto && first == '{');
  if (rows) return ingest->AddJsonLines(in, "standard input", defaults);
  auto read = ReadAll(in, "");
  if (!read.ok()) {
    ingest->Fail(read.status());
    return Status::Ok();
  }
  RememberRequest request = defaults;
  request.text = *std::move(read);
  const std::uint64_t bytes = request.text.size();
  return ingest->Add(std::move(request), "standard input", bytes);
}

Status Remember::AddFile(const FoundFile& file, Ingest* ingest) const {
  const bool rows = format == InputFormat::kJsonLines ||
                    (format == InputFormat::kAuto && IsJsonLinesName(file.path));
  if (rows) {
    std::ifstream stream(file.path, std::ios::binary);
    if (!stream) {
      ingest->Fail(PermissionDenied(Format("{}: cannot be read", file.path.string())));
      return Status::Ok();
    }
    return ingest->AddJsonLines(&stream, file.path.string(), defaults);
  }
  auto read = ReadText(file.path);
  if (!read.ok()) {
    // In a folder pictures and archives are no failure; a file that was named is.
    if (file.named || read.status().code() != StatusCode::kInvalidArgument) {
      ingest->Fail(read.status());
    }
    return Status::Ok();
  }
  const std::string name = file.path.string();
  RememberRequest request = defaults;
  request.text = *std::move(read);
  if (request.id.empty()) request.id = name;
  if (request.title.empty()) request.title = name;
  if (request.provenance.source.empty()) request.provenance.source = name;
  return ingest->Add(std::move(request), name, file.bytes);
}

Status Remember::Run(Session& session) {
  defaults.space = session.space();
  defaults.provenance.channel = "cli";
  if (metadata) defaults.metadata = *metadata;
  if (text && !paths.empty()) return InvalidArgument("--text and files exclude each other");
  if (paths.empty() && !text) {
    if (session.host().in_is_terminal) {
      return InvalidArgument("nothing to remember: give files, folders, '-' or --text");
    }
    paths = {"-"};
  }
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    if (path != "-") names.push_back(path);
  }
  KVASIR_ASSIGN_OR_RETURN(const std::vector<FoundFile> files, FindFiles(names));
  const bool input = names.size() < paths.size();
  if (!defaults.id.empty() && files.size() + (input || text ? 1 : 0) != 1) {
    return InvalidArgument("--id names one memory, but there are several texts");
  }
  if (files.empty() && !input && !text) return NotFound("no text files there");

  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kCreate, Model::kNeeded));
  std::uint64_t total = 0;
  for (const FoundFile& file : files) total += file.bytes;
  Ingest ingest(memory.get(), &session.output(), session.stop(), input ? 0 : total);
  Status going;
  if (text) {
    RememberRequest request = defaults;
    request.text = *text;
    going = ingest.Add(std::move(request), "--text", text->size());
  }
  for (std::size_t i = 0; i < files.size() && going.ok(); ++i) going = AddFile(files[i], &ingest);
  if (input && going.ok()) going = AddInput(session.host().in, &ingest);
  return ingest.Finish();
}

}  // namespace

Command RememberCommand() {
  auto remember = std::make_shared<Remember>();
  RememberRequest& defaults = remember->defaults;
  Command command;
  command.name = "remember";
  command.summary = "Remember files, folders, JSON lines, standard input (-) or --text";
  command.arguments = {"PATH", "files, folders, or - for standard input", &remember->paths, 0,
                       1 << 20};
  command.options = {
      {"text", "TEXT", "a sentence to remember", ToText(&remember->text), OptionKind::kValue, "",
       true},
      {"format", "NAME", "auto, text or jsonl",
       ToChoice<InputFormat>(&remember->format, {{"auto", InputFormat::kAuto},
                                                 {"text", InputFormat::kText},
                                                 {"jsonl", InputFormat::kJsonLines}}),
       OptionKind::kValue, "auto"},
      {"id", "ID", "its name; the same id again edits it", ToText(&defaults.id), OptionKind::kValue,
       "", true},
      {"title", "TEXT", "title; files have their path", ToText(&defaults.title), OptionKind::kValue,
       "", true},
      {"session", "NAME", "session it belongs to", ToText(&defaults.session)},
      {"user-id", "ID", "user it belongs to", ToText(&defaults.user_id)},
      {"agent-id", "ID", "agent it belongs to", ToText(&defaults.agent_id)},
      {"metadata", "JSON", "a flat JSON object", ToMetadata(&remember->metadata)},
      {"source", "TEXT", "where it comes from", ToText(&defaults.provenance.source)},
      {"trust", "TIER", "untrusted or user",
       ToChoice<Trust>(&defaults.provenance.trust,
                       {{"untrusted", Trust::kUntrusted}, {"user", Trust::kUser}}),
       OptionKind::kValue, "user"},
      {"expires-at", "TIME", "forget it then", ToTime(&defaults.expires_at), OptionKind::kValue, "",
       true},
      {"valid-from", "TIME", "true from then on", ToTime(&defaults.valid_from), OptionKind::kValue,
       "", true},
      {"valid-to", "TIME", "true until then", ToTime(&defaults.valid_to), OptionKind::kValue, "",
       true},
  };
  command.run = [remember](Session& session) { return remember->Run(session); };
  return command;
}

}  // namespace kvasir::cli
