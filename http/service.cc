#include "http/service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "http/head.h"

namespace kvasir::http {
namespace {

constexpr std::uint64_t kLargeBytes = 64 * 1024;

constexpr const char* kTooManyLarge = "Too many large answers at once.";

Problem Make(int status, std::string code, std::string detail) {
  Problem problem;
  problem.status = status;
  problem.code = std::move(code);
  problem.detail = std::move(detail);
  return problem;
}

Problem Busy(std::string detail) {
  Problem problem = Make(503, "overloaded", std::move(detail));
  problem.retryable = true;
  problem.retry_after_s = 1;
  return problem;
}

/// One of a bounded number of places; given back when the last copy goes.
using Place = std::shared_ptr<void>;

Place TakePlace(std::atomic<std::size_t>& taken, std::size_t bound) {
  if (taken.fetch_add(1) >= bound) {
    --taken;
    return nullptr;
  }
  return {&taken, [](void* counter) { --*static_cast<std::atomic<std::size_t>*>(counter); }};
}

/// Host without its port.
std::string_view HostName(std::string_view host) {
  const auto bracket = host.find(']');
  if (!host.empty() && host.front() == '[' && bracket != std::string_view::npos) {
    return host.substr(0, bracket + 1);
  }
  return host.substr(0, host.find(':'));
}

/// The key that the client shows: "Authorization: Bearer …", or mem0's X-API-Key.
std::string_view ShownKey(const RequestHead& head) {
  constexpr std::string_view kBearer = "Bearer ";
  constexpr std::string_view kToken = "Token ";  // What mem0's clients send.
  const auto authorization = head.Header("authorization").value_or("");
  if (authorization.starts_with(kBearer)) return authorization.substr(kBearer.size());
  if (authorization.starts_with(kToken)) return authorization.substr(kToken.size());
  return head.Header("x-api-key").value_or("");
}

std::optional<Problem> CheckBodyHead(const RequestHead& head, const Route& route) {
  if (route.body == Body::kNone) return std::nullopt;
  const bool lines = route.body == Body::kLines;
  const std::uint64_t bound = lines ? kMaxBulkBodyBytes : kMaxBodyBytes;
  if (head.content_length > bound) {
    return Make(413, "body_too_large", "The body is over " + std::to_string(bound) + " bytes.");
  }
  // A page elsewhere can make a browser post text/plain without asking us first, but not this.
  const auto type = head.Header("content-type").value_or("");
  const std::string_view wanted = lines ? "application/x-ndjson" : "application/json";
  const std::string_view media = type.substr(0, type.find(';'));
  if (media == wanted) return std::nullopt;
  return Make(415, "media_type", "Send Content-Type: " + std::string(wanted) + ".");
}

bool HasHeader(const Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [name](const HeaderField& field) { return field.name == name; });
}

}  // namespace

struct Service::Exchange {
  Request& request;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  const Route* route = nullptr;
  std::string key_id = {};
  std::string code = {};
  std::string error = {};
  Place place = {};         // Held until the answer ends, streams included.
  Place answer_place = {};  // Held until a large answer was read.

  // The request does not live as long as a streamed answer.
  std::string id = {};
  std::string remote = {};
  std::string method = {};
  std::uint64_t bytes_in = 0;
};

Service::Service(ServiceOptions options)
    : options_(std::move(options)),
      keys_(options_.key_file),
      metrics_(options_.queued),
      log_(options_.access_log) {}

Response Service::Handle(Request& request) {
  metrics_.Begin();
  auto exchange = std::make_shared<Exchange>(Exchange{request});
  exchange->id = request.id;
  exchange->remote = request.remote;
  exchange->method = request.head.method;
  exchange->bytes_in = request.head.content_length;

  Answer answer = Dispatch(*exchange);
  Response response;
  if (const Problem* problem = answer.problem()) {
    exchange->code = problem->code;
    if (problem->status == 500) exchange->error = answer.status().message();
    const Errors style = exchange->route != nullptr ? exchange->route->errors : Errors::kProblem;
    response = ErrorResponse(style, *problem, request.id);
  } else {
    response = std::move(*answer.response());
  }
  response.headers.push_back({"X-Request-Id", request.id});
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  if (!HasHeader(response, "Cache-Control")) {
    response.headers.push_back({"Cache-Control", "no-store"});
  }
  if (const auto origin = request.head.Header("origin"); origin && IsListedOrigin(*origin)) {
    response.headers.push_back({"Access-Control-Allow-Origin", std::string(*origin)});
    response.headers.push_back({"Access-Control-Expose-Headers",
                                "ETag, Idempotent-Replayed, Location, Retry-After, X-Request-Id"});
    response.headers.push_back({"Vary", "Origin"});
  }
  if (!response.stream) {
    Close(*exchange, response, response.body.size());
    if (response.body.size() > kLargeBytes) response.hold = std::move(exchange->answer_place);
    return response;
  }
  // Counted and logged when the stream ends, however it ends.
  response.stream = [this, exchange, inner = std::move(response.stream), status = response.status,
                     gone = request.gone](ResponseSink& sink) {
    struct Counting final : ResponseSink {
      explicit Counting(ResponseSink& to) : to_(to) {}
      bool Write(std::string_view bytes) override {
        bytes_ += bytes.size();
        return to_.Write(bytes);
      }
      ResponseSink& to_;
      std::uint64_t bytes_ = 0;
    } counting(sink);
    inner(counting);
    Response ended;
    ended.status = gone.stop_requested() ? 499 : status;
    if (gone.stop_requested()) exchange->code = StatusCodeName(StatusCode::kCancelled);
    Close(*exchange, ended, counting.bytes_);
    exchange->place.reset();
  };
  return response;
}

void Service::Close(const Exchange& exchange, const Response& response, std::uint64_t bytes_out) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - exchange.start);
  const std::string_view route = exchange.route ? exchange.route->pattern : "none";
  metrics_.End(exchange.method, route, response.status, took);
  log_.Write({.request_id = exchange.id,
              .remote = exchange.remote,
              .method = exchange.method,
              .route = route,
              .key_id = exchange.key_id,
              .status = response.status,
              .code = exchange.code,
              .error = exchange.error,
              .bytes_in = exchange.bytes_in,
              .bytes_out = bytes_out,
              .took = took});
}

void Service::NoteRefused(std::string_view remote, const Problem& problem, std::string_view id) {
  metrics_.Refuse(problem.code);
  log_.Write({.request_id = id,
              .remote = remote,
              .method = {},
              .route = {},
              .key_id = {},
              .status = problem.status,
              .code = problem.code,
              .error = {}});
}

Answer Service::Dispatch(Exchange& exchange) {
  const RequestHead& head = exchange.request.head;
  if (auto problem = CheckOrigin(head)) return *std::move(problem);
  Match match = FindRoute(head.method, head.path);
  if (match.route == nullptr) {
    if (match.allowed.empty()) return Make(404, "no_route", "There is nothing at this path.");
    std::string methods = "OPTIONS";
    for (const std::string_view method : match.allowed) methods += ", " + std::string(method);
    if (head.method == "OPTIONS") {
      Response response;
      response.status = 204;
      response.headers = {
          {"Allow", methods},
          {"Access-Control-Allow-Methods", methods},
          {"Access-Control-Allow-Headers",
           "Authorization, Content-Type, Idempotency-Key, If-Match, Prefer, X-API-Key"}};
      return response;
    }
    Problem problem = Make(405, "method_not_allowed", "This path does not have this method.");
    problem.headers.push_back({"Allow", methods});
    return problem;
  }
  exchange.route = match.route;
  return Run(exchange, *match.route, std::move(match.id));
}

Answer Service::Run(Exchange& exchange, const Route& route, std::string id) {
  Request& request = exchange.request;
  Principal principal;
  if (auto problem = CheckKey(request.head, route, principal)) return *std::move(problem);
  exchange.key_id = principal.key_id;
  if (auto problem = CheckBodyHead(request.head, route)) return *std::move(problem);
  Memory* memory = memory_;
  if (route.needs_store && memory == nullptr) {
    Problem problem = Busy("The model and the store are being opened.");
    problem.code = "loading";
    return problem;
  }
  if (route.lane == Lane::kModel) {
    exchange.place = TakePlace(model_calls_, options_.model_calls);
    if (!exchange.place) return Busy("Too many calls that need the model at once.");
  }
  if (route.lane == Lane::kPage) {
    exchange.answer_place = TakePlace(large_answers_, options_.large_answers);
    if (!exchange.answer_place) return Busy(kTooManyLarge);
  }
  Call call{.request = request,
            .memory = memory,
            .principal = principal,
            .id = std::move(id),
            .body = {},
            .metrics = metrics_,
            .tasks = tasks_,
            .backup_folder = options_.backup_folder,
            .ping_interval = options_.ping_interval,
            .ready = Readiness(),
            .error = &exchange.error};
  Place large;
  if (route.body != Body::kNone && request.head.content_length > kLargeBytes) {
    large = TakePlace(large_bodies_, options_.large_bodies);
    if (!large) return Busy("Too many large bodies at once.");
  }
  if (route.body == Body::kJson) {
    const auto text = ReadAll(*request.body);
    if (!text.ok()) return Make(408, "request_timeout", "The body did not arrive in time.");
    KVASIR_ASSIGN_OR_RETURN(call.body, ParseJson(*text));
  }
  Answer answer = route.handler(call);
  const Response* response = answer.response();
  if (response != nullptr && response->body.size() > kLargeBytes && !exchange.answer_place) {
    exchange.answer_place = TakePlace(large_answers_, options_.large_answers);
    if (!exchange.answer_place) return Busy(kTooManyLarge);
  }
  return answer;
}

Status Service::Readiness() const {
  if (draining_) return Unavailable("the server is stopping");
  if (memory_ == nullptr) return Unavailable("the model and the store are being opened");
  return options_.ready ? options_.ready() : Status::Ok();
}

std::optional<Problem> Service::CheckOrigin(const RequestHead& head) const {
  const auto host = head.Header("host");
  if (!host || !IsOwnHost(*host)) {
    return Make(403, "host_not_allowed",
                "This server does not go by the name in Host; see serve --host-name.");
  }
  const auto origin = head.Header("origin");
  if (!origin || IsListedOrigin(*origin)) return std::nullopt;
  if (*origin == "http://" + std::string(*host) || *origin == "https://" + std::string(*host)) {
    return std::nullopt;
  }
  return Make(403, "origin_not_allowed",
              "Pages of this origin may not call; see serve --allow-origin.");
}

std::optional<Problem> Service::CheckKey(const RequestHead& head, const Route& route,
                                         Principal& principal) {
  if (route.scope == Scope::kNone) return std::nullopt;
  // With nobody's key in the file a shown one is not looked at: many clients must send some.
  if (!options_.require_key && !keys_.any()) return std::nullopt;
  auto found = keys_.Find(ShownKey(head));
  if (!found) {
    Problem problem = Make(401, "key_required", "Show a valid key: Authorization: Bearer kv_….");
    problem.headers.push_back({"WWW-Authenticate", "Bearer realm=\"kvasir\""});
    return problem;
  }
  if (!found->scopes.Has(route.scope)) {
    return Make(403, "scope_missing", "This key does not have the scope that this route needs.");
  }
  principal = *std::move(found);
  return std::nullopt;
}

bool Service::IsOwnHost(std::string_view host) const {
  const std::string_view name = HostName(host);
  constexpr std::string_view kOwn[] = {"localhost", "127.0.0.1", "[::1]"};
  return std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn) ||
         std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end();
}

bool Service::IsListedOrigin(std::string_view origin) const {
  return std::find(options_.origins.begin(), options_.origins.end(), origin) !=
         options_.origins.end();
}

}  // namespace kvasir::http
