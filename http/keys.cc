#include "http/keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "http/json.h"
#include "http/random.h"
#include "http/sha256.h"
#include "kvasir/filter.h"

namespace kvasir::http {
namespace {

constexpr std::pair<std::string_view, Scope> kScopeNames[] = {{"read", Scope::kRead},
                                                              {"write", Scope::kWrite},
                                                              {"forget", Scope::kForget},
                                                              {"admin", Scope::kAdmin}};
constexpr std::string_view kPrefix = "kv_";

Status SystemError(const std::filesystem::path& path) {
  std::string message = path.string() + ": " + std::strerror(errno);
  if (errno == EACCES || errno == EPERM) return PermissionDenied(std::move(message));
  if (errno == ENOSPC) return NoSpace(std::move(message));
  return Unavailable(std::move(message));
}

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

/// The file as it was or as it shall be, never in between, never readable by others.
Status Replace(const std::filesystem::path& path, const std::string& content) {
  const std::filesystem::path fresh = path.string() + ".new";
  const Descriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0) return SystemError(fresh);
  const auto size = static_cast<ssize_t>(content.size());
  if (write(file.get(), content.data(), content.size()) != size || fsync(file.get()) != 0 ||
      rename(fresh.c_str(), path.c_str()) != 0) {
    return SystemError(fresh);
  }
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0) return SystemError(folder);
  return Status::Ok();
}

Json ToJson(const Key& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"space", key.space},
          {"scopes", key.scopes.ToString()},
          {"sha256", key.sha256},
          {"created_at", key.created_at},
          {"revoked_at", key.revoked_at}};
}

Result<Key> KeyFromJson(const Json& json) {
  Key key;
  std::string scopes;
  const std::pair<const char*, std::string*> fields[] = {{"id", &key.id},
                                                         {"name", &key.name},
                                                         {"space", &key.space},
                                                         {"scopes", &scopes},
                                                         {"sha256", &key.sha256},
                                                         {"created_at", &key.created_at},
                                                         {"revoked_at", &key.revoked_at}};
  for (const auto& [name, target] : fields) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) {
      return Corruption(std::string("a key without \"") + name + "\"");
    }
    *target = found->get<std::string>();
  }
  KVASIR_ASSIGN_OR_RETURN(key.scopes, Scopes::Parse(scopes));
  return key;
}

/// Reads, lets `edit` change the list, writes. One process at a time.
template <typename Edit>
Status Rewrite(const std::filesystem::path& path, const Edit& edit) {
  const Descriptor lock(
      open((path.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX) != 0) return SystemError(path);
  KVASIR_ASSIGN_OR_RETURN(const KeyFile file, KeyFile::Load(path));
  std::vector<Key> keys = file.keys();
  KVASIR_RETURN_IF_ERROR(edit(keys));
  Json list = Json::array();
  for (const Key& key : keys) list.push_back(ToJson(key));
  return Replace(path, Json{{"version", 1}, {"keys", std::move(list)}}.dump(2) + "\n");
}

/// Changes whenever the file was replaced.
std::string StampOf(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return "none";
  return std::to_string(info.st_ino) + " " + std::to_string(info.st_mtim.tv_sec) + " " +
         std::to_string(info.st_mtim.tv_nsec) + " " + std::to_string(info.st_size);
}

}  // namespace

Result<Scopes> Scopes::Parse(std::string_view words) {
  Scopes scopes;
  while (!words.empty()) {
    const auto comma = std::min(words.find(','), words.size());
    const std::string_view word = words.substr(0, comma);
    words.remove_prefix(std::min(comma + 1, words.size()));
    const auto* found = std::find_if(std::begin(kScopeNames), std::end(kScopeNames),
                                     [word](const auto& entry) { return entry.first == word; });
    if (found == std::end(kScopeNames)) {
      return InvalidArgument("there is no scope " + std::string(word) +
                             "; there are read, write, forget, admin");
    }
    scopes.bits_ |= static_cast<std::uint8_t>(found->second);
  }
  return scopes;
}

std::string Scopes::ToString() const {
  std::string words;
  for (const auto& [name, scope] : kScopeNames) {
    if ((bits_ & static_cast<std::uint8_t>(scope)) == 0) continue;
    if (!words.empty()) words += ',';
    words += name;
  }
  return words;
}

Result<KeyFile> KeyFile::Load(const std::filesystem::path& path) {
  KeyFile file;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (errno == ENOENT) return file;
    return SystemError(path);
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = ParseJson(text);
  if (!json.ok() || !json->is_object() || !json->contains("keys") || !(*json)["keys"].is_array()) {
    return Corruption(path.string() + " is no file of keys; restore it or remove it");
  }
  for (const Json& entry : (*json)["keys"]) {
    auto key = KeyFromJson(entry);
    if (!key.ok()) return Corruption(path.string() + ": " + key.status().message());
    file.keys_.push_back(*std::move(key));
  }
  return file;
}

const Key* KeyFile::Find(std::string_view secret) const {
  const std::string hash = Sha256Hex(secret);
  const Key* found = nullptr;
  // All of them, always: the time says nothing about which one matched.
  for (const Key& key : keys_) {
    if (EqualInConstantTime(key.sha256, hash) && key.revoked_at.empty()) found = &key;
  }
  return found;
}

Result<std::string> CreateKey(const std::filesystem::path& path, const std::string& name,
                              const std::string& space, Scopes scopes, Timestamp now) {
  Key key;
  key.id = RandomHex(4);
  key.name = name;
  key.space = space;
  key.scopes = scopes;
  key.created_at = FormatTimestamp(now);
  std::string secret = std::string(kPrefix) + key.id + "_" + RandomHex(32);
  key.sha256 = Sha256Hex(secret);
  KVASIR_RETURN_IF_ERROR(Rewrite(path, [&key](std::vector<Key>& keys) {
    keys.push_back(key);
    return Status::Ok();
  }));
  return secret;
}

Status RevokeKey(const std::filesystem::path& path, const std::string& id, Timestamp now) {
  return Rewrite(path, [&](std::vector<Key>& keys) {
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&id](const Key& key) { return key.id == id; });
    if (found == keys.end()) return NotFound("there is no key with the id \"" + id + "\"");
    if (found->revoked_at.empty()) found->revoked_at = FormatTimestamp(now);
    return Status::Ok();
  });
}

std::filesystem::path KeyFileOf(const std::filesystem::path& store) {
  std::string text = store.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text + ".keys";
}

bool KeyWatch::any() {
  std::lock_guard lock(mutex_);
  Refresh();
  return !file_ || !file_->keys().empty();
}

std::optional<Principal> KeyWatch::Find(std::string_view secret) {
  std::lock_guard lock(mutex_);
  Refresh();
  const Key* key = file_ ? file_->Find(secret) : nullptr;
  if (key == nullptr) return std::nullopt;
  return Principal{key->id, key->space, key->scopes};
}

void KeyWatch::Refresh() {
  std::string stamp = StampOf(path_);
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  auto loaded = KeyFile::Load(path_);
  file_.reset();
  if (loaded.ok()) {
    file_ = *std::move(loaded);
  } else {
    stamp_.clear();  // Try again.
  }
}

}  // namespace kvasir::http
