#include "http/render.h"

namespace kvasir::http {

std::string_view Name(Trust trust) {
  switch (trust) {
    case Trust::kUntrusted:
      return "untrusted";
    case Trust::kUser:
      return "user";
    case Trust::kOperator:
      return "operator";
  }
  return "unknown";
}

std::string_view Name(RememberOutcome outcome) {
  switch (outcome) {
    case RememberOutcome::kCreated:
      return "created";
    case RememberOutcome::kUpdated:
      return "updated";
    case RememberOutcome::kUnchanged:
      return "unchanged";
  }
  return "unknown";
}

}  // namespace kvasir::http
