// kvasir doctor: does everything that kvasir needs work here?
#include <memory>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/model_cache.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

namespace fs = std::filesystem;

struct Finding {
  std::string name;
  std::string detail;
  Status status;
};

Finding CheckModel(const Session& session) {
  const std::string& chosen = session.settings().open.model;
  const fs::path path =
      chosen.empty() ? ModelFolder(session.host()) / kDefaultModel : fs::path(chosen);
  std::error_code absent;
  if (fs::exists(path, absent)) return {"model", path.string(), {}};
  return {"model", "",
          Unavailable(path.string() + ": is not there; `kvasir model pull` fetches the default")};
}

/// The whole way: a store on disk, the model, one memory in and out again.
Finding CheckWholeWay(const Session& session) {
  const std::string name = "remember and recall";
  auto memory = session.OpenTemporary();
  if (!memory.ok()) return {name, "", memory.status()};
  RememberRequest request;
  request.id = "doctor";
  request.text = "The lighthouse keeper paints the northern door green every spring.";
  auto receipt = (*memory)->Remember(request);
  if (!receipt.ok()) return {name, "", receipt.status()};
  RecallRequest query;
  query.query = "lighthouse keeper's door";
  auto found = (*memory)->Recall(query);
  if (!found.ok()) return {name, "", found.status()};
  if (found->hits.empty() || found->hits.front().id != request.id) {
    return {name, "", Internal("a memory was stored and not found again")};
  }
  auto stats = (*memory)->GetStats();
  if (!stats.ok()) return {name, "", stats.status()};
  return {name, Format("model {}, backend {}", stats->model, stats->backend), {}};
}

Finding CheckStore(const Session& session) {
  const std::string& path = session.settings().store;
  auto memory = session.Open(Access::kRead, Model::kNotNeeded);
  if (memory.ok()) return {"store", path, {}};
  if (memory.status().code() == StatusCode::kNotFound) return {"store", path + ": none yet", {}};
  return {"store", "", memory.status()};
}

Finding CheckSpace(const Session& session) {
  constexpr std::uintmax_t kEnough = std::uintmax_t{1} << 30;
  std::error_code unknown;
  const fs::space_info space = fs::space(HomeFolder(session.host()), unknown);
  if (unknown) return {"disk", "free space unknown", {}};
  const std::string free = ByteCount(static_cast<double>(space.available)) + " free";
  if (space.available >= kEnough) return {"disk", free, {}};
  return {"disk", "", NoSpace(free + " in the home folder; a store wants 1 GB")};
}

Status Examine(Session& session) {
  std::vector<Finding> findings = {{"version", Format("kvasir {}", Version()), {}},
                                   CheckSpace(session),
                                   CheckModel(session),
                                   CheckStore(session)};
  if (findings[2].status.ok()) findings.push_back(CheckWholeWay(session));
  Output& output = session.output();
  Json list = Json::array();
  Status worst;
  for (const Finding& finding : findings) {
    const bool ok = finding.status.ok();
    const std::string& detail = ok ? finding.detail : finding.status.message();
    if (!ok && worst.ok()) worst = finding.status.WithContext(finding.name);
    const Json row = {{"check", finding.name}, {"ok", ok}, {"detail", detail}};
    if (output.json()) list.push_back(row);
    if (output.json_lines()) output.Line(Dump(row));
    if (output.human()) {
      output.Line(Format("{:4}  {:20} {}", ok ? "ok" : "FAIL", finding.name, Printable(detail)));
    }
  }
  if (output.json()) output.Line(Dump({{"ok", worst.ok()}, {"checks", list}}));
  return worst;
}

}  // namespace

Command DoctorCommand() {
  Command command;
  command.name = "doctor";
  command.summary = "Check that everything kvasir needs works here";
  command.run = Examine;
  return command;
}

}  // namespace kvasir::cli
