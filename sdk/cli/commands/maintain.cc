// kvasir stats, verify, backup, restore, compact, reencode: the care of a store.
#include <memory>
#include <string>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/format.h"
#include "sdk/cli/progress.h"
#include "sdk/cli/render.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

Status PrintStats(Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  KVASIR_ASSIGN_OR_RETURN(const Stats stats, memory->GetStats());
  Output& output = session.output();
  if (!output.human()) {
    output.Line(Dump(ToJson(stats)));
    return Status::Ok();
  }
  for (const SpaceInfo& space : stats.spaces) {
    output.Line(Format("{}: {} memories, {} segments, {} tokens",
                       output.Bold(Printable(space.name)), space.memories, space.segments,
                       space.tokens));
  }
  output.Line(Format("disk {}, router index {}, {} commits",
                     ByteCount(static_cast<double>(stats.disk_bytes)),
                     ByteCount(static_cast<double>(stats.index_bytes)), stats.commits));
  const auto print = [&](const char* name, const CacheUse& cache) {
    if (cache.budget_bytes == 0) return;
    output.Line(Format(
        "{} {} of {}, {} hits, {} misses", name, ByteCount(static_cast<double>(cache.used_bytes)),
        ByteCount(static_cast<double>(cache.budget_bytes)), cache.hits, cache.misses));
  };
  print("key-value cache", stats.kv_cache);
  print("router key cache", stats.router_cache);
  output.Line(Format("model {} ({}), backend {}", stats.model, stats.fingerprint, stats.backend));
  return Status::Ok();
}

Status Verify(Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kRead, Model::kNotNeeded));
  ProgressBar bar(session.output(), "verify", 0, ProgressUnit::kItems);
  auto report = memory->Verify(bar.Follow(session.stop()));
  bar.Hide();
  if (!report.ok()) return report.status();
  Output& output = session.output();
  if (!output.human()) {
    output.Line(Dump(ToJson(*report)));
  } else {
    output.Line(Format("{} memories, {} segments, {} commits: {}", report->memories,
                       report->segments, report->commits,
                       report->problems.empty() ? "all as their checksums say"
                                                : Format("{} problems", report->problems.size())));
    for (const std::string& problem : report->problems) output.Line("  " + Printable(problem));
  }
  if (report->problems.empty()) return Status::Ok();
  return Corruption(Format("{} problems, the first: {}; restore a backup, or see docs",
                           report->problems.size(), report->problems.front()));
}

/// One line for people, one object for scripts.
void PrintDone(const std::string& sentence, const Json& json, Output* output) {
  output->Line(output->human() ? sentence : Dump(json));
}

Status Backup(const std::string& folder, Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kWrite, Model::kNotNeeded));
  ProgressBar bar(session.output(), "backup", 0, ProgressUnit::kItems);
  KVASIR_RETURN_IF_ERROR(memory->Backup(folder, bar.Follow(session.stop())));
  bar.Hide();
  PrintDone("backed up to " + folder + " and verified", {{"folder", folder}, {"verified", true}},
            &session.output());
  return Status::Ok();
}

Status Restore(const std::string& folder, Session& session) {
  const std::string& store = session.settings().store;
  KVASIR_RETURN_IF_ERROR(RestoreBackup(folder, store));
  PrintDone("restored to " + store, {{"folder", folder}, {"store", store}}, &session.output());
  return Status::Ok();
}

Status Compact(Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kWrite, Model::kNotNeeded));
  ProgressBar bar(session.output(), "compact", 0, ProgressUnit::kItems);
  auto receipt = memory->Compact(bar.Follow(session.stop()));
  bar.Hide();
  if (!receipt.ok()) return receipt.status();
  PrintDone(Format("erased what {} forgotten memories had left", receipt->memories),
            ToJson(*receipt), &session.output());
  return Status::Ok();
}

Status Reencode(Session& session) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, session.Open(Access::kWrite, Model::kNeeded));
  ProgressBar bar(session.output(), "reencode", 0, ProgressUnit::kItems);
  auto count = memory->Reencode(bar.Follow(session.stop()));
  bar.Hide();
  if (!count.ok()) return count.status();
  PrintDone(Format("encoded {} memories again", *count), {{"memories", *count}}, &session.output());
  return Status::Ok();
}

Command Plain(std::string name, std::string summary, std::function<Status(Session&)> run) {
  Command command;
  command.name = std::move(name);
  command.summary = std::move(summary);
  command.run = std::move(run);
  return command;
}

Command OnFolder(std::string name, std::string summary,
                 Status (*run)(const std::string&, Session&)) {
  auto folders = std::make_shared<std::vector<std::string>>();
  Command command = Plain(std::move(name), std::move(summary), [folders, run](Session& session) {
    return run(folders->front(), session);
  });
  command.arguments = {"FOLDER", "folder of backups", folders.get(), 1, 1};
  return command;
}

}  // namespace

Command StatsCommand() { return Plain("stats", "Count memories, bytes and commits", PrintStats); }
Command VerifyCommand() { return Plain("verify", "Read everything, check every sum", Verify); }
Command BackupCommand() { return OnFolder("backup", "Copy the store, verified", Backup); }
Command RestoreCommand() {
  return OnFolder("restore", "Put the newest backup into the new folder --store", Restore);
}
Command CompactCommand() {
  return Plain("compact", "Erase what deferred forgets and expiry left", Compact);
}
Command ReencodeCommand() {
  return Plain("reencode", "Encode again what another model encoded", Reencode);
}

}  // namespace kvasir::cli
