// The table of routes: everything that this server answers stands in it once.
#ifndef HTTP_ROUTER_H_
#define HTTP_ROUTER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/error_response.h"
#include "http/json.h"
#include "http/keys.h"
#include "http/message.h"
#include "http/problem.h"
#include "http/space.h"
#include "kvasir/memory.h"

namespace kvasir::http {

class Metrics;
class Tasks;

/// What a handler works with. References live until it returns: a stream copies what it needs.
struct Call {
  Request& request;
  Memory* memory;  ///< Null for routes that answer without the store.
  const Principal& principal;
  std::string id;  ///< What stands for {id} in the path.
  Json body;       ///< For Body::kJson.
  Metrics& metrics;
  Tasks& tasks;
  const std::string& backup_folder;  ///< See ServiceOptions.
  std::chrono::milliseconds ping_interval{15000};
  Status ready;                  ///< May this server be sent work?
  std::string* error = nullptr;  ///< For the log: what only the operator may read. Never null.

  /// The space that the request means: the key's, or the one named. kPermissionDenied when the
  /// key is for another.
  Result<std::string> Space(const std::string& named) const;
};

/// What a handler gives back.
class Answer {
 public:
  Answer(Response response) : value_(std::move(response)) {}  // NOLINT(google-explicit-constructor)
  Answer(Problem problem) : value_(std::move(problem)) {}     // NOLINT(google-explicit-constructor)
  Answer(const Status& status)                                // NOLINT(google-explicit-constructor)
      : value_(ProblemOf(status)), status_(status) {}

  Response* response() { return std::get_if<Response>(&value_); }
  const Problem* problem() const { return std::get_if<Problem>(&value_); }
  /// What the SDK said, for the log.
  const Status& status() const { return status_; }

 private:
  std::variant<Response, Problem> value_;
  Status status_;
};

enum class Body : std::uint8_t { kNone, kJson, kLines };
/// kModel: may take seconds of the model's time; kPage: makes a large answer. Only so many of each
/// at once.
enum class Lane : std::uint8_t { kQuick, kModel, kPage };

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< "/v1/memories/{id}": at most one {id}, a whole segment.
  Scope scope = Scope::kNone;
  Body body = Body::kNone;
  Lane lane = Lane::kQuick;
  Errors errors = Errors::kProblem;
  bool needs_store = true;
  Answer (*handler)(Call&) = nullptr;
};

/// In the order of docs/rest.md. Equal to http/openapi.json, by test.
std::span<const Route> AllRoutes();

struct Match {
  const Route* route = nullptr;
  std::string id;
  std::vector<std::string_view> allowed;  ///< Without a route: methods that the path has.
};

/// HEAD is answered as GET.
Match FindRoute(std::string_view method, std::span<const std::string> path);

/// 200 with JSON.
Response JsonResponse(const Json& json, int status = 200);
/// The header of what is, or was made, this version of this memory.
HeaderField ETagOf(std::uint64_t number, std::uint32_t version);

}  // namespace kvasir::http

#endif  // HTTP_ROUTER_H_
