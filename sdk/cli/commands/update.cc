// kvasir update: edit a memory; the old version stays in its history.
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"
#include "sdk/cli/text_files.h"

namespace kvasir::cli {
namespace {

struct Update {
  std::vector<std::string> ids;
  std::optional<std::string> file;
  UpdateRequest request;

  Status Run(Session& session);
};

Status Update::Run(Session& session) {
  request.id = ids.front();
  request.space = session.space();
  if (file && request.text) return InvalidArgument("--text and --text-file exclude each other");
  if (file) {
    KVASIR_ASSIGN_OR_RETURN(request.text, ReadText(*file == "-" ? "/dev/stdin" : *file));
  }
  if (!request.text && !request.title && !request.metadata && !request.expires_at &&
      !request.valid_from && !request.valid_to) {
    return InvalidArgument("nothing to change: give --text, --title, --metadata or a time");
  }
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kWrite, Model::kNeeded));
  KVASIR_ASSIGN_OR_RETURN(const RememberReceipt receipt,
                          memory->Update(request, session.Quietly()));
  Output& output = session.output();
  if (output.human()) {
    output.Line(Format("{}: {}, now version {}", Printable(receipt.id), Name(receipt.outcome),
                       receipt.version));
  } else {
    output.Line(Dump(ToJson(receipt)));
  }
  return Status::Ok();
}

}  // namespace

Command UpdateCommand() {
  auto update = std::make_shared<Update>();
  UpdateRequest& request = update->request;
  Command command;
  command.name = "update";
  command.summary = "Edit a memory; the old version stays in its history";
  command.arguments = {"ID", "a memory of --space", &update->ids, 1, 1};
  const auto only_flag = [](std::string name, std::string value, std::string help, Assign assign) {
    return Option{std::move(name),
                  std::move(value),
                  std::move(help),
                  std::move(assign),
                  OptionKind::kValue,
                  "",
                  true};
  };
  command.options = {
      only_flag("text", "TEXT", "the new text", ToText(&request.text)),
      only_flag("text-file", "FILE", "file with the new text, - for standard input",
                ToText(&update->file)),
      only_flag("title", "TEXT", "the new title", ToText(&request.title)),
      only_flag("metadata", "JSON", "replaces all of it", ToMetadata(&request.metadata)),
      only_flag("expires-at", "TIME", "forget it then", ToTime(&request.expires_at)),
      only_flag("valid-from", "TIME", "true from then on", ToTime(&request.valid_from)),
      only_flag("valid-to", "TIME", "true until then", ToTime(&request.valid_to)),
      only_flag("if-match", "ETAG", "refuse unless this is its etag, or its content hash",
                ToText(&request.if_match)),
  };
  command.run = [update](Session& session) { return update->Run(session); };
  return command;
}

}  // namespace kvasir::cli
