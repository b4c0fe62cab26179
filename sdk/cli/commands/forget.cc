// kvasir forget: erase memories, for good.
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/progress.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

struct Forget {
  std::string session;
  ForgetRequest request;
  bool yes = false;

  Status Run(Session& session_of_cli);
  Status CheckOneWay() const;
};

/// A call that names ids must not widen to a scope, nor one scope to two.
Status Forget::CheckOneWay() const {
  const int ways = (request.ids.empty() ? 0 : 1) + (session.empty() ? 0 : 1) +
                   (request.filter ? 1 : 0) + (request.whole_space ? 1 : 0) +
                   (request.everything ? 1 : 0);
  if (ways == 1) return Status::Ok();
  return InvalidArgument(
      ways == 0 ? "what? Give ids, --session, --filter, --whole-space or --all"
                : "ids, --session, --filter, --whole-space and --all exclude each other");
}

void Print(const ForgetReceipt& receipt, bool dry_run, Output* output) {
  if (!output->human()) {
    Json json = ToJson(receipt);
    json["dry_run"] = dry_run;
    output->Line(Dump(json));
    return;
  }
  if (dry_run) {
    for (const std::string& id : receipt.ids) output->Line(Printable(id));
  }
  output->Line(Format("{} {} memories, {} segments, {} older versions{}",
                      dry_run ? "would forget" : "forgot", receipt.memories, receipt.segments,
                      receipt.versions,
                      dry_run            ? ""
                      : receipt.physical ? "; their bytes are gone from the store"
                                         : "; `kvasir compact` erases their bytes"));
  for (const std::string& where : receipt.not_reached) {
    output->Note("not reached: " + Printable(where));
  }
}

Status Forget::Run(Session& cli) {
  request.space = cli.space();
  KVASIR_RETURN_IF_ERROR(CheckOneWay());
  if (!session.empty()) request.session = session;
  KVASIR_ASSIGN_OR_RETURN(auto memory, cli.Open(Access::kWrite, Model::kNotNeeded));
  if (request.ids.empty() && !request.dry_run && !yes) {
    ForgetRequest look = request;
    look.dry_run = true;
    KVASIR_ASSIGN_OR_RETURN(const ForgetReceipt would, memory->Forget(look, cli.Quietly()));
    KVASIR_RETURN_IF_ERROR(cli.Confirm(Format("Forget {} memories for good?", would.memories)));
  }
  ProgressBar bar(cli.output(), "erase", 0, ProgressUnit::kItems);
  auto receipt = memory->Forget(request, bar.Follow(cli.stop()));
  bar.Hide();
  if (!receipt.ok()) return receipt.status();
  Print(*receipt, request.dry_run, &cli.output());
  return Status::Ok();
}

}  // namespace

Command ForgetCommand() {
  auto forget = std::make_shared<Forget>();
  ForgetRequest& request = forget->request;
  Command command;
  command.name = "forget";
  command.summary = "Erase memories for good";
  command.arguments = {"ID", "memories of --space", &request.ids, 0, 1 << 20};
  command.options = {
      {"session", "NAME", "all of this session", ToText(&forget->session), OptionKind::kValue, "",
       true},
      {"filter", "JSON", "all that match", ToFilter(&request.filter), OptionKind::kValue, "", true},
      {"whole-space", "", "everything in --space", ToSwitch(&request.whole_space),
       OptionKind::kSwitch, "", true},
      {"all", "", "every space of the store", ToSwitch(&request.everything), OptionKind::kSwitch,
       "", true},
      {"yes", "", "do not ask", ToSwitch(&forget->yes), OptionKind::kSwitch, "", true},
      {"dry-run", "", "only list what would go", ToSwitch(&request.dry_run), OptionKind::kSwitch,
       "", true},
      {"defer", "", "erase the bytes later, at the next compact", ToSwitch(&request.defer),
       OptionKind::kSwitch},
      {"max", "N", "refuse when more would go, 0: no bound",
       ToCount<std::uint64_t>(&request.max, 0), OptionKind::kValue, "0"},
  };
  command.run = [forget](Session& session) { return forget->Run(session); };
  return command;
}

}  // namespace kvasir::cli
