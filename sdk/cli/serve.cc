#include "sdk/cli/serve.h"

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "http/keys.h"
#include "http/server.h"
#include "http/service.h"
#include "sdk/cli/format.h"
#include "sdk/cli/json.h"
#include "sdk/cli/reasoner_flags.h"
#include "sdk/cli/session.h"

namespace kvasir::cli {
namespace {

/// How long running requests have after SIGTERM before they are asked to stop.
constexpr std::chrono::seconds kDrainTime{10};
/// Not ready below this: the store itself refuses writes only later.
constexpr std::uintmax_t kLowDiskBytes = 256ULL << 20;

struct ServeFlags {
  std::string address = "127.0.0.1";
  int port = 7077;
  bool behind_proxy = false;
  bool require_key = false;
  std::string key_file;
  std::string access_log = "-";
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::string backup_folder;
  ReasonerFlags reasoner;
};

std::string KeyPath(const std::string& given, const Session& session) {
  return given.empty() ? http::KeyFileOf(session.settings().store).string() : given;
}

/// Everybody who reaches a port that is not loopback must be known, and what reaches it must have
/// passed a proxy: this server speaks no TLS.
Status CheckExposure(const ServeFlags& flags, const std::string& key_file) {
  if (!http::IsLoopback(flags.address) && !flags.behind_proxy) {
    return PermissionDenied(
        Format("'{}' is not a loopback address; put a TLS proxy in front and give --behind-proxy "
               "(docs/security.md)",
               flags.address));
  }
  if (!flags.behind_proxy) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(const http::KeyFile keys, http::KeyFile::Load(key_file));
  for (const http::Key& key : keys.keys()) {
    if (key.revoked_at.empty()) return Status::Ok();
  }
  return PermissionDenied("--behind-proxy needs a key; make one with `kvasir key create`");
}

/// Appends lines to a file, or to standard error for "-".
class LogFile {
 public:
  static Result<std::unique_ptr<LogFile>> Open(const std::string& path, std::ostream* err) {
    auto log = std::make_unique<LogFile>();
    if (path == "-") {
      log->out_ = err;
    } else if (path != "none") {
      log->file_.open(path, std::ios::app);
      if (!log->file_) return PermissionDenied(Format("cannot write to --access-log {}", path));
      log->out_ = &log->file_;
    }
    return log;
  }
  void Write(std::string_view line) {
    if (out_ != nullptr) (*out_ << line).flush();
  }

 private:
  std::ofstream file_;
  std::ostream* out_ = nullptr;
};

Status DiskHasRoom(const std::string& store) {
  std::error_code unknown;
  const auto space = std::filesystem::space(store, unknown);
  if (unknown || space.available >= kLowDiskBytes) return Status::Ok();
  return NoSpace("the disk of the store is nearly full");
}

void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

void Announce(const ServeFlags& flags, int port, Output& output, std::ostream& out) {
  const bool v6 = flags.address.find(':') != std::string::npos;
  const std::string url =
      Format("http://{}:{}", v6 ? "[" + flags.address + "]" : flags.address, port);
  if (output.human()) {
    output.Note(Format("listening on {}; Ctrl-C stops", url));
  } else {
    output.Line(Dump(Json{{"url", url}, {"port", port}}));
    out.flush();
  }
}

/// Each arena of the allocator keeps what its threads freed; the server's 64 workers would spread
/// their large answers over as many.
void BoundAllocator() { mallopt(M_ARENA_MAX, 4); }

Status Serve(const ServeFlags& flags, Session& session) {
  BoundAllocator();
  session.SetReasoner(flags.reasoner.url, flags.reasoner.model, flags.reasoner.key_file);
  const std::string key_file = KeyPath(flags.key_file, session);
  KVASIR_RETURN_IF_ERROR(CheckExposure(flags, key_file));
  KVASIR_ASSIGN_OR_RETURN(const auto log, LogFile::Open(flags.access_log, session.host().err));
  // The store outlives the service, the service the server: what runs never lacks what it uses.
  std::unique_ptr<Memory> memory;
  http::ServiceOptions options;
  options.hosts = flags.hosts;
  options.origins = flags.origins;
  options.key_file = key_file;
  options.backup_folder = flags.backup_folder;
  options.require_key = flags.require_key || flags.behind_proxy;
  options.access_log = [&log](std::string_view line) { log->Write(line); };
  options.ready = [store = session.settings().store] { return DiskHasRoom(store); };
  std::atomic<http::Server*> queue_of = nullptr;
  options.queued = [&queue_of] {
    const http::Server* server = queue_of;
    return server == nullptr ? 0 : server->queued();
  };
  http::Service service(std::move(options));
  KVASIR_ASSIGN_OR_RETURN(
      const auto server,
      http::Server::Start(
          {.address = flags.address, .port = flags.port},
          [&service](http::Request& request) { return service.Handle(request); },
          [&service](std::string_view remote, const http::Problem& problem, std::string_view id) {
            service.NoteRefused(remote, problem, id);
          }));
  queue_of = server.get();
  Announce(flags, server->port(), session.output(), *session.host().out);
  KVASIR_ASSIGN_OR_RETURN(memory, session.Open(Access::kCreate, Model::kNeeded));
  service.Attach(memory.get());
  session.output().Note("ready");
  WaitForStop(session.stop());
  service.StartDraining();
  session.output().Note("stopping");
  server->Drain(kDrainTime);
  service.StopTasks();
  return Status::Ok();
}

std::vector<Option> ServeOptions(ServeFlags* flags) {
  std::vector<Option> options;
  options.push_back({"address", "ADDRESS", "Listen here; other than loopback needs --behind-proxy",
                     ToText(&flags->address), OptionKind::kValue, "127.0.0.1"});
  options.push_back({"port", "N", "Listen here; 0: any free port", ToCount(&flags->port, 0, 65535),
                     OptionKind::kValue, "7077"});
  options.push_back({"behind-proxy", "", "A TLS proxy stands in front; keys are needed",
                     ToSwitch(&flags->behind_proxy), OptionKind::kSwitch});
  options.push_back({"require-key", "", "Nobody without a key, even before the first one is made",
                     ToSwitch(&flags->require_key), OptionKind::kSwitch});
  options.push_back({"key-file", "FILE", "Hashes of keys; default: the store's path and .keys",
                     ToText(&flags->key_file)});
  options.push_back({"host-name", "NAME", "A name that this server goes by, beside localhost",
                     ToTexts(&flags->hosts), OptionKind::kRepeated});
  options.push_back({"allow-origin", "ORIGIN", "Pages from here may call, as https://app.example",
                     ToTexts(&flags->origins), OptionKind::kRepeated});
  options.push_back({"access-log", "FILE", "JSON lines; -: standard error, none: no log",
                     ToText(&flags->access_log), OptionKind::kValue, "-"});
  options.push_back({"backup-folder", "FOLDER", "Where POST /v1/backup puts copies; else refused",
                     ToText(&flags->backup_folder)});
  AddReasonerOptions(&flags->reasoner, &options);
  return options;
}

struct KeyFlags {
  std::string name;
  std::string scopes = "read,write,forget";
  std::string key_file;
};

Timestamp Now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Status CreateKey(const KeyFlags& flags, const std::string& path, Session& session) {
  KVASIR_ASSIGN_OR_RETURN(const http::Scopes scopes, http::Scopes::Parse(flags.scopes));
  KVASIR_ASSIGN_OR_RETURN(const std::string secret,
                          http::CreateKey(path, flags.name, session.space(), scopes, Now()));
  Output& output = session.output();
  if (output.human()) {
    output.Line(secret);
    output.Note(Format("for space '{}', scopes {}; it cannot be shown again", session.space(),
                       scopes.ToString()));
  } else {
    output.Line(
        Dump(Json{{"key", secret}, {"space", session.space()}, {"scopes", scopes.ToString()}}));
  }
  return Status::Ok();
}

Status ListKeys(const std::string& path, Session& session) {
  KVASIR_ASSIGN_OR_RETURN(const http::KeyFile file, http::KeyFile::Load(path));
  Output& output = session.output();
  Json list = Json::array();
  for (const http::Key& key : file.keys()) {
    const Json json = {{"id", key.id},
                       {"name", key.name},
                       {"space", key.space},
                       {"scopes", key.scopes.ToString()},
                       {"created_at", key.created_at},
                       {"revoked_at", key.revoked_at.empty() ? Json() : Json(key.revoked_at)}};
    if (output.human()) {
      output.Line(Format("{}  {}  space {}  {}  {}", key.id, Printable(key.name),
                         Printable(key.space), key.scopes.ToString(),
                         key.revoked_at.empty() ? "valid" : "revoked " + key.revoked_at));
    }
    if (output.json_lines()) output.Line(Dump(json));
    list.push_back(json);
  }
  if (output.json()) output.Line(Dump(Json{{"keys", std::move(list)}}));
  return Status::Ok();
}

Status RevokeKey(const std::string& id, const std::string& path, Session& session) {
  KVASIR_RETURN_IF_ERROR(http::RevokeKey(path, id, Now()));
  Output& output = session.output();
  output.Line(output.human() ? "revoked " + id : Dump(Json{{"id", id}, {"revoked", true}}));
  return Status::Ok();
}

Status ManageKeys(const KeyFlags& flags, const std::vector<std::string>& words, Session& session) {
  const std::string path = KeyPath(flags.key_file, session);
  const std::string& action = words.front();
  if (action == "create" && words.size() == 1) return CreateKey(flags, path, session);
  if (action == "list" && words.size() == 1) return ListKeys(path, session);
  if (action == "revoke" && words.size() == 2) return RevokeKey(words[1], path, session);
  return InvalidArgument("say `key create`, `key list` or `key revoke ID`");
}

}  // namespace

Command ServeCommand() {
  auto flags = std::make_shared<ServeFlags>();
  Command command;
  command.name = "serve";
  command.summary = "Serve REST on this machine";
  command.options = ServeOptions(flags.get());
  command.run = [flags](Session& session) { return Serve(*flags, session); };
  return command;
}

Command KeyCommand() {
  auto flags = std::make_shared<KeyFlags>();
  auto words = std::make_shared<std::vector<std::string>>();
  Command command;
  command.name = "key";
  command.summary = "Create, list and revoke keys for `serve`";
  command.arguments = {"ACTION", "create, list, or revoke ID", words.get(), 1, 2};
  command.options = {
      {"name", "NAME", "What the key is for", ToText(&flags->name)},
      {"scopes", "LIST", "Some of read,write,forget,admin; the space is --space, '*' for all",
       ToText(&flags->scopes), OptionKind::kValue, "read,write,forget"},
      {"key-file", "FILE", "Default: the store's path and .keys", ToText(&flags->key_file)}};
  command.run = [flags, words](Session& session) { return ManageKeys(*flags, *words, session); };
  return command;
}

}  // namespace kvasir::cli
