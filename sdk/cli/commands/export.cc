// kvasir export: every memory of a space as JSON lines that `kvasir import` takes.
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/progress.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

Status Export(ListRequest request, Session& session) {
  request.space = session.space();
  request.limit = 1000;
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  Output& output = session.output();
  ProgressBar bar(output, "export", 0, ProgressUnit::kItems);
  std::uint64_t written = 0;
  Json list = Json::array();
  do {
    if (session.stop().stop_requested()) {
      return Cancelled(Format("interrupted after {} memories", written));
    }
    KVASIR_ASSIGN_OR_RETURN(ListPage page, memory->List(request));
    for (const MemoryRecord& record : page.memories) {
      if (output.json()) {
        list.push_back(ToJson(record));
      } else {
        output.Line(Dump(ToJson(record)));
      }
    }
    written += page.memories.size();
    bar.Show(written);
    request.cursor = std::move(page.next_cursor);
  } while (!request.cursor.empty());
  bar.Hide();
  if (output.json()) output.Line(Dump({{"memories", std::move(list)}}));
  output.Note(Format("exported {} memories", written));
  return Status::Ok();
}

}  // namespace

Command ExportCommand() {
  auto request = std::make_shared<ListRequest>();
  Command command;
  command.name = "export";
  command.summary = "Print every memory of a space as JSON lines";
  command.options = {
      {"session", "NAME", "only of this session", ToText(&request->session)},
      {"filter", "JSON", "only those that match", ToFilter(&request->filter)},
  };
  command.run = [request](Session& session) { return Export(*request, session); };
  return command;
}

}  // namespace kvasir::cli
