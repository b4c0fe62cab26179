// The exit codes that scripts rely on; docs and `kvasir --help` list the same table.
#ifndef SDK_CLI_EXIT_CODE_H_
#define SDK_CLI_EXIT_CODE_H_

#include "kvasir/status.h"

namespace kvasir::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,  ///< The request cannot be meant: unknown flag, bad UTF-8, top-k 0.
  kNotFound = 3,
  kNotAllowed = 4,
  kConflict = 5,  ///< Also: another process holds the store; the message names its pid.
  kCorruption = 6,
  kUnavailable = 7,
  kNoSpace = 8,
  kInterrupted = 130,
};

inline ExitCode ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return ExitCode::kOk;
    case StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case StatusCode::kPermissionDenied:
      return ExitCode::kNotAllowed;
    case StatusCode::kConflict:
    case StatusCode::kKeyReused:
      return ExitCode::kConflict;
    case StatusCode::kCorruption:
      return ExitCode::kCorruption;
    case StatusCode::kUnavailable:
      return ExitCode::kUnavailable;
    case StatusCode::kNoSpace:
      return ExitCode::kNoSpace;
    case StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    case StatusCode::kInternal:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace kvasir::cli

#endif  // SDK_CLI_EXIT_CODE_H_
