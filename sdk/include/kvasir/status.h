// How every call of kvasir says that it failed. No exception crosses this library's border.
#ifndef KVASIR_STATUS_H_
#define KVASIR_STATUS_H_

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kvasir {

/// Stable words for what went wrong; the numbers are part of the C ABI and never change.
enum class StatusCode : int {
  kOk = 0,
  kInvalidArgument = 1,   ///< The request cannot be meant: bad UTF-8, unknown field, top_k = 0.
  kNotFound = 2,          ///< No such document, session, space, file.
  kPermissionDenied = 3,  ///< The key, the mode or the file system forbids it.
  kConflict = 4,     ///< The stored state is not what the caller believes, or the store is locked.
  kCorruption = 5,   ///< Bytes on disk or in a file are not what their checksums or format say.
  kUnavailable = 6,  ///< Not now, or not in this build: model missing, network down, no GPU.
  kNoSpace = 7,      ///< The disk is full or below its low-water mark. Nothing was written.
  kCancelled = 8,    ///< The caller's stop token asked for it.
  kInternal = 9,     ///< A bug in kvasir. Please report it.
  kKeyReused = 10,   ///< An idempotency key came again with another request.
};

/// The code's stable lower-case word, for example "invalid_argument".
inline std::string_view StatusCodeName(StatusCode code) {
  constexpr std::string_view kNames[] = {
      "ok",        "invalid_argument", "not_found",   "permission_denied",
      "conflict",  "corruption",       "unavailable", "no_space",
      "cancelled", "internal",         "key_reused"};
  return kNames[static_cast<int>(code)];
}

/// Success, or a code and one line that says what, where and what to do. Cheap to move;
/// thread-compatible.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {
    assert(code != StatusCode::kOk);
  }
  static Status Ok() { return {}; }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// The same failure seen from one step further out: "segment 42: <message>". Success stays
  /// success.
  Status WithContext(std::string_view context) const& {
    return ok() ? Status() : Status(code_, std::string(context) + ": " + message_);
  }

  friend bool operator==(const Status&, const Status&) = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status InvalidArgument(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}
inline Status NotFound(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
inline Status PermissionDenied(std::string message) {
  return {StatusCode::kPermissionDenied, std::move(message)};
}
inline Status Conflict(std::string message) { return {StatusCode::kConflict, std::move(message)}; }
inline Status Corruption(std::string message) {
  return {StatusCode::kCorruption, std::move(message)};
}
inline Status Unavailable(std::string message) {
  return {StatusCode::kUnavailable, std::move(message)};
}
inline Status NoSpace(std::string message) { return {StatusCode::kNoSpace, std::move(message)}; }
inline Status Cancelled(std::string message) {
  return {StatusCode::kCancelled, std::move(message)};
}
inline Status KeyReused(std::string message) {
  return {StatusCode::kKeyReused, std::move(message)};
}
inline Status Internal(std::string message) { return {StatusCode::kInternal, std::move(message)}; }

/// A value, or the Status that says why there is none. Asking a failed Result for its value is a
/// bug.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    assert(!std::get<Status>(state_).ok());
  }

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status() : std::get<Status>(state_); }

  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<Status, T> state_;
};

/// Leaves the function with the Status of `expression` unless it is ok.
#define KVASIR_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                            \
    if (::kvasir::Status kvasir_status = (expression); !kvasir_status.ok()) return kvasir_status; \
  } while (false)

#define KVASIR_CONCAT_INNER(a, b) a##b
#define KVASIR_CONCAT(a, b) KVASIR_CONCAT_INNER(a, b)
/// `KVASIR_ASSIGN_OR_RETURN(auto x, F());` leaves the function unless F() has a value.
#define KVASIR_ASSIGN_OR_RETURN(lhs, expression) \
  KVASIR_ASSIGN_OR_RETURN_IMPL(KVASIR_CONCAT(kvasir_result_, __LINE__), lhs, expression)
#define KVASIR_ASSIGN_OR_RETURN_IMPL(result, lhs, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).status();        \
  lhs = std::move(result).value()

}  // namespace kvasir

#endif  // KVASIR_STATUS_H_
