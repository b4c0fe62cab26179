// kvasir list: memories page by page.
#include <memory>
#include <string>

#include "kvasir/filter.h"
#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

struct List {
  ListRequest request;
  bool all = false;

  Status Run(Session& session);
};

void PrintRecord(const MemoryRecord& record, Output* output) {
  if (output->json_lines()) {
    output->Line(Dump(ToJson(record)));
    return;
  }
  constexpr std::size_t kColumns = 60;
  output->Line(Format("{}  {}  {}", output->Bold(Printable(record.id)),
                      output->Dim(FormatTimestamp(record.updated_at)),
                      Excerpt(record.text.empty() ? record.title : record.text, kColumns)));
}

Status List::Run(Session& session) {
  request.space = session.space();
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  Output& output = session.output();
  Json page_json = {{"memories", Json::array()}};
  do {
    if (session.stop().stop_requested()) return Cancelled("interrupted");
    KVASIR_ASSIGN_OR_RETURN(ListPage page, memory->List(request));
    for (const MemoryRecord& record : page.memories) {
      if (output.json()) {
        page_json["memories"].push_back(ToJson(record));
      } else {
        PrintRecord(record, &output);
      }
    }
    request.cursor = std::move(page.next_cursor);
  } while (all && !request.cursor.empty());
  page_json["next_cursor"] = request.cursor;
  if (output.json()) output.Line(Dump(page_json));
  if (!output.json() && !request.cursor.empty()) {
    output.Note("more: --cursor " + request.cursor + ", or --all");
  }
  return Status::Ok();
}

}  // namespace

Command ListCommand() {
  auto list = std::make_shared<List>();
  ListRequest& request = list->request;
  Command command;
  command.name = "list";
  command.summary = "List memories";
  command.options = {
      {"session", "NAME", "only of this session", ToText(&request.session)},
      {"filter", "JSON", "only those that match", ToFilter(&request.filter)},
      {"limit", "N", "memories of a page", ToCount<std::uint32_t>(&request.limit, 1, 1000),
       OptionKind::kValue, "100"},
      {"cursor", "CURSOR", "go on where a page ended", ToText(&request.cursor), OptionKind::kValue,
       "", true},
      {"all", "", "all pages", ToSwitch(&list->all), OptionKind::kSwitch, "", true},
  };
  command.run = [list](Session& session) { return list->Run(session); };
  return command;
}

}  // namespace kvasir::cli
