// kvasir get and kvasir history: memories by id, as they are and as they were.
#include <memory>
#include <string>

#include "kvasir/filter.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

void PrintRecord(const MemoryRecord& record, Output* output) {
  output->Line(output->Bold(Printable(record.title.empty() ? record.id : record.title)));
  output->Line(
      output->Dim(Format("id {}  version {}  {}  {} segments, {} tokens  hash {}",
                         Printable(record.id), record.version, FormatTimestamp(record.updated_at),
                         record.segments, record.tokens, record.content_hash)));
  if (!record.metadata.empty()) {
    output->Line(output->Dim("metadata " + Printable(MetadataToJson(record.metadata))));
  }
  output->Line(Printable(record.text));
}

/// One object with --json: the record itself for one, {"memories"|"versions"} for more.
void Print(const std::vector<MemoryRecord>& records, const char* plural, Output* output) {
  Json list = Json::array();
  for (const MemoryRecord& record : records) {
    if (output->human()) PrintRecord(record, output);
    if (output->json_lines()) output->Line(Dump(ToJson(record)));
    if (output->json()) list.push_back(ToJson(record));
  }
  if (!output->json()) return;
  const bool lone = plural == nullptr;
  output->Line(Dump(lone ? list.front() : Json{{plural, std::move(list)}}));
}

Status Get(const std::vector<std::string>& ids, Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  std::vector<MemoryRecord> records;
  records.reserve(ids.size());
  for (const std::string& id : ids) {
    KVASIR_ASSIGN_OR_RETURN(MemoryRecord record, memory->Get(id, session.space()));
    records.push_back(std::move(record));
  }
  Print(records, ids.size() == 1 ? nullptr : "memories", &session.output());
  return Status::Ok();
}

Status History(const std::string& id, Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  KVASIR_ASSIGN_OR_RETURN(const auto versions, memory->History(id, session.space()));
  Print(versions, "versions", &session.output());
  return Status::Ok();
}

}  // namespace

Command GetCommand() {
  auto ids = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "get";
  command.summary = "Show memories by id";
  command.arguments = {"ID", "memories of --space", ids.get(), 1, 1 << 20};
  command.run = [ids](Session& session) { return Get(*ids, session); };
  return command;
}

Command HistoryCommand() {
  auto ids = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "history";
  command.summary = "Show every version of a memory, oldest first";
  command.arguments = {"ID", "a memory of --space", ids.get(), 1, 1};
  command.run = [ids](Session& session) { return History(ids->front(), session); };
  return command;
}

}  // namespace kvasir::cli
