// Who may do what: keys that clients carry, of which only hashes are kept.
#ifndef HTTP_KEYS_H_
#define HTTP_KEYS_H_

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir::http {

enum class Scope : std::uint8_t { kNone = 0, kRead = 1, kWrite = 2, kForget = 4, kAdmin = 8 };

/// A set of scopes. Admin includes the others.
class Scopes {
 public:
  Scopes() = default;
  static Scopes All() { return Scopes(15); }
  /// "read,write": words of the set, comma between. Errors name the word.
  static Result<Scopes> Parse(std::string_view words);
  std::string ToString() const;

  bool Has(Scope scope) const {
    const auto bit = static_cast<std::uint8_t>(scope);
    return bit == 0 || (bits_ & bit) != 0 || (bits_ & 8) != 0;
  }

 private:
  explicit Scopes(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

/// The space of a key that may name any space in its requests.
inline constexpr std::string_view kEverySpace = "*";

/// Whom a request speaks for.
struct Principal {
  std::string key_id;  ///< Empty: nobody showed a key and none is needed.
  std::string space{kEverySpace};
  Scopes scopes = Scopes::All();

  bool every_space() const { return space == kEverySpace; }
};

struct Key {
  std::string id;
  std::string name;
  std::string space;
  Scopes scopes;
  std::string sha256;  ///< Of the whole key, hex.
  std::string created_at;
  std::string revoked_at;  ///< Empty: valid.
};

/// The keys of one store, in a JSON file of mode 0600 beside it. Thread-compatible.
class KeyFile {
 public:
  /// No file is no keys. Errors: kCorruption, kPermissionDenied.
  static Result<KeyFile> Load(const std::filesystem::path& path);

  const std::vector<Key>& keys() const { return keys_; }
  /// The valid key that `secret` is, compared in constant time; null if none.
  const Key* Find(std::string_view secret) const;

 private:
  std::vector<Key> keys_;
};

/// Makes a key and returns it: the only time that it can be seen. "kv_" id "_" 64 hex digits.
Result<std::string> CreateKey(const std::filesystem::path& path, const std::string& name,
                              const std::string& space, Scopes scopes, Timestamp now);
/// Errors: kNotFound for an unknown id. Revoking twice changes nothing.
Status RevokeKey(const std::filesystem::path& path, const std::string& id, Timestamp now);

/// The file of the store in folder `store`: "<store>.keys".
std::filesystem::path KeyFileOf(const std::filesystem::path& store);

/// The key file as a running server sees it: looked at for each request (one stat), read again when
/// it changed. Thread-safe.
class KeyWatch {
 public:
  explicit KeyWatch(std::filesystem::path path) : path_(std::move(path)) {}

  /// Does anybody have a key? An unreadable file counts as yes: nobody gets in then.
  bool any();
  std::optional<Principal> Find(std::string_view secret);

 private:
  void Refresh();

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::optional<KeyFile> file_;
  std::string stamp_;
};

}  // namespace kvasir::http

#endif  // HTTP_KEYS_H_
