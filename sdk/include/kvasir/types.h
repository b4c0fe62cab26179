// The nouns of kvasir that every surface shares: ids, metadata values, filters, spans, memories.
#ifndef KVASIR_TYPES_H_
#define KVASIR_TYPES_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kvasir {

/// Wall-clock time in UTC, milliseconds. Every time that is stored or sent has this resolution.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Half-open byte range [begin, end) of a memory's original UTF-8 text; never cuts a code point.
struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// One metadata value. Lists hold strings only: what filters can compare.
using MetadataValue =
    std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, std::vector<std::string>>;
/// At most 64 keys; a key is 1 to 128 bytes of UTF-8; all of it at most 64 KiB.
using Metadata = std::map<std::string, MetadataValue, std::less<>>;

/// Where a memory came from. Untrusted memories can be left out of `ask` (see AskRequest).
enum class Trust : std::uint8_t { kUntrusted = 0, kUser = 1, kOperator = 2 };

/// Who wrote a memory, through which door. A memory is data, never an instruction.
struct Provenance {
  std::string channel = "sdk";  ///< "sdk", "cli", "rest", "mcp", "import".
  std::string source{};         ///< File name, URL or tool, as the caller named it; may be empty.
  Trust trust = Trust::kUser;
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// One turn of a conversation.
struct Message {
  std::string role{};  ///< "user", "assistant", "system", "tool" or a speaker's name.
  std::string content{};
  std::string name{};  ///< Speaker, when it is not the role.
  std::optional<Timestamp> time{};
  friend bool operator==(const Message&, const Message&) = default;
};

/// A condition on a memory's fields, decided before anything is scored.
///
/// A leaf compares one field: a metadata key, or one of the built-in fields `id title session
/// user_id agent_id channel source created_at updated_at valid_from valid_to` (times as RFC 3339
/// strings). A branch joins children. A field that is absent satisfies only kNe, kNin and kExists
/// with value false. Numbers compare with numbers, strings with strings, anything else is unequal.
/// `contains` on a list asks for an element, on a string for a substring; `icontains` folds case
/// (Unicode simple case folding).
struct Filter {
  enum class Op : std::uint8_t {
    kAnd,
    kOr,
    kNot,  // branches; kNot has exactly one child
    kEq,
    kNe,
    kIn,
    kNin,
    kGt,
    kGte,
    kLt,
    kLte,  // kIn, kNin take `values`
    kContains,
    kIcontains,
    kExists,
  };
  Op op = Op::kAnd;
  std::vector<Filter> children{};
  std::string field{};
  std::vector<MetadataValue> values{};  ///< One value for every leaf but kIn and kNin.
};

/// Depth and node count a filter may have; deeper or larger ones are refused.
inline constexpr int kMaxFilterDepth = 16;
inline constexpr int kMaxFilterNodes = 256;

/// One remembered text as it is read back. Everything here can be shown to a person.
struct MemoryRecord {
  std::string id{};  ///< The caller's id, or one that kvasir made ("m" and 26 base32 digits).
  std::uint64_t number =
      0;  ///< Document number in its space: never reused, part of the encoded text.
  std::string space{};
  std::string session{};
  std::string user_id{};
  std::string agent_id{};
  std::string title{};
  std::string text{};
  std::vector<Message> messages{};  ///< Filled when it was remembered as a conversation.
  Metadata metadata{};
  Provenance provenance{};
  std::uint32_t version = 1;   ///< Counts edits.
  std::string content_hash{};  ///< Hex SHA-256 of title and text.
  Timestamp created_at{};
  Timestamp updated_at{};
  std::optional<Timestamp>
      expires_at;  ///< From then on it cannot be read; purged physically later.
  std::optional<Timestamp> valid_from{};  ///< Event time, see RecallRequest::as_of.
  std::optional<Timestamp> valid_to{};
  std::uint32_t segments = 0;
  std::uint64_t tokens = 0;
};

/// Names one state of one memory in its space, for all time: an edit of any field makes a new
/// version, and numbers are never reused. The ETag of REST; see UpdateRequest::if_match.
inline std::string Etag(std::uint64_t number, std::uint32_t version) {
  return std::to_string(number) + "." + std::to_string(version);
}

}  // namespace kvasir

#endif  // KVASIR_TYPES_H_
