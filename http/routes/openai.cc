// POST /v1/chat/completions and GET /v1/models: kvasir as OpenAI's clients see a model, with the
// memories in the loop. docs/rest.md has the table of what is supported.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/event_stream.h"
#include "http/fields.h"
#include "http/render.h"
#include "http/request_fields.h"
#include "http/routes/routes.h"

namespace kvasir::http {
namespace {

constexpr std::string_view kModel = "kvasir";

/// Turns before the last message that are put in front of it: enough for "and where does she
/// live?", little enough that the last message decides what is recalled.
constexpr std::size_t kContextTurns = 4;

/// Of no effect on an answer from memories, and sent by many clients.
constexpr std::array kIgnored = {"user",
                                 "store",
                                 "metadata",
                                 "service_tier",
                                 "safety_identifier",
                                 "prompt_cache_key",
                                 "reasoning_effort",
                                 "verbosity",
                                 "parallel_tool_calls"};

struct Wish {
  AskRequest request;
  bool stream = false;
  bool stream_usage = false;
};

/// A message's text: a string, or its parts of type text.
Result<std::string> TextOf(const Json& message, const std::string& where) {
  const Json content = message.value("content", Json());
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return InvalidArgument(where + ": \"content\" must be text");
  std::string text;
  for (const Json& part : content) {
    if (!part.is_object() || part.value("type", Json()) != "text" ||
        !part.value("text", Json()).is_string()) {
      return InvalidArgument(where + ": only parts of type \"text\" are understood");
    }
    text += part["text"].get<std::string>();
  }
  return text;
}

/// The last message, after the turns before it; roles that instruct a model are passed over.
Result<std::string> QuestionOf(const Json& body) {
  const Json messages = body.is_object() ? body.value("messages", Json()) : Json();
  if (!messages.is_array() || messages.empty()) {
    return InvalidArgument("\"messages\" must be a list with at least one message");
  }
  std::vector<std::string> turns;
  std::string last;
  for (const Json& message : messages) {
    const std::string where = "message " + std::to_string(turns.size() + 1);
    if (!message.is_object() || !message.value("role", Json()).is_string()) {
      return InvalidArgument(where + ": an object with \"role\" is wanted");
    }
    const std::string role = message["role"];
    if (role == "system" || role == "developer") continue;
    if (role != "user" && role != "assistant") {
      return InvalidArgument(
          std::string(where).append(": role \"").append(role).append("\" is not supported"));
    }
    KVASIR_ASSIGN_OR_RETURN(last, TextOf(message, where));
    turns.push_back(std::string(role).append(": ").append(last).append("\n"));
  }
  if (turns.empty() || !turns.back().starts_with("user: ") || last.empty()) {
    return InvalidArgument("the last of \"messages\" must be the user's, and not empty");
  }
  if (turns.size() == 1) return last;
  std::string question;
  const std::size_t before = turns.size() - 1;
  for (std::size_t i = before - std::min(before, kContextTurns); i < turns.size(); ++i) {
    question += turns[i];
  }
  question.pop_back();
  return question;
}

/// Refuses what would change the answer in a way that is not offered.
void RefuseOthers(Fields& fields, const Json& body) {
  const std::pair<const char*, Json> only[] = {{"n", 1},
                                               {"presence_penalty", 0},
                                               {"frequency_penalty", 0},
                                               {"logprobs", false},
                                               {"logit_bias", Json::object()},
                                               {"tools", Json::array()},
                                               {"tool_choice", "none"},
                                               {"modalities", Json::array({"text"})},
                                               {"response_format", {{"type", "text"}}}};
  for (const auto& [name, value] : only) {
    if (!fields.Has(name)) continue;
    if (body[name] != value) {
      fields.Fail("\"" + std::string(name) + "\" can only be " + DumpJson(value) + " here");
    }
  }
  for (const char* name : kIgnored) fields.Ignore(name);
}

/// Sampling under OpenAI's names and kvasir's own wishes (`kvasir`), as one ask.
Json AskOf(const Json& body, const std::string& question) {
  Json ask = body.value("kvasir", Json::object());
  if (!ask.is_object()) ask = {{"kvasir", ask}};  // Refused below by its name.
  ask["question"] = question;
  for (const char* name : {"temperature", "top_p", "seed"}) {
    if (body.contains(name)) ask[name] = body[name];
  }
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    if (body.contains(name)) ask["max_new_tokens"] = body[name];
  }
  if (body.contains("stop")) {
    ask["stop"] = body["stop"].is_string() ? Json::array({body["stop"]}) : body["stop"];
  }
  return ask;
}

Result<Wish> ReadWish(const Call& call) {
  KVASIR_ASSIGN_OR_RETURN(const std::string question, QuestionOf(call.body));
  Wish wish;
  std::string model;
  Fields fields(call.body);
  fields.Get("model", model);
  fields.Get("stream", wish.stream);
  RefuseOthers(fields, call.body);
  for (const char* name : {"messages", "kvasir", "temperature", "top_p", "seed", "max_tokens",
                           "max_completion_tokens", "stop", "stream_options"}) {
    fields.Ignore(name);  // Read elsewhere.
  }
  const Json options = call.body.value("stream_options", Json());
  wish.stream_usage = options.is_object() && options.value("include_usage", Json()) == true;
  if (model.empty()) fields.Fail("\"model\" is missing; it is called \"kvasir\"");
  KVASIR_RETURN_IF_ERROR(fields.Finish());
  if (model != kModel) return NotFound("there is no model \"" + model + "\"; ask \"kvasir\"");
  const Json ask = AskOf(call.body, question);
  std::string space;
  Fields asked(ask);
  asked.Get("space", space);
  ReadFields(asked, wish.request);
  KVASIR_RETURN_IF_ERROR(asked.Finish());
  KVASIR_ASSIGN_OR_RETURN(wish.request.space, call.Space(space));
  return wish;
}

/// What every object of one completion has.
Json Envelope(const std::string& request_id, const char* object) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {{"id", "chatcmpl-" + request_id},
          {"object", object},
          {"created", std::chrono::duration_cast<std::chrono::seconds>(now).count()},
          {"model", kModel}};
}

Json UsageOf(const AskResult& result) {
  return {{"prompt_tokens", result.prompt_tokens},
          {"completion_tokens", result.new_tokens},
          {"total_tokens", result.prompt_tokens + result.new_tokens}};
}

/// Where the answer comes from; OpenAI's clients pass fields on that they do not know.
Json SourcesOf(const AskResult& result) {
  Json json = ToJson(result);
  return {{"citations", json["citations"]}, {"hops", json["hops"]}, {"reasoner", result.reasoner}};
}

const char* FinishReason(const AskRequest& request, const AskResult& result) {
  return result.new_tokens >= request.max_new_tokens ? "length" : "stop";
}

Json Chunk(Json envelope, Json delta, const Json& finish_reason) {
  envelope["choices"] = Json::array({{{"index", 0},
                                      {"delta", std::move(delta)},
                                      {"logprobs", nullptr},
                                      {"finish_reason", finish_reason}}});
  return envelope;
}

/// Chunks with the pieces of the answer, the last one with its sources; usage if it was wished for.
void Stream(Memory& memory, Wish wish, const std::string& request_id, const EventStream::Send& send,
            std::stop_token stop) {
  const Json envelope = Envelope(request_id, "chat.completion.chunk");
  send("", Chunk(envelope, {{"role", "assistant"}, {"content", ""}}, nullptr));
  wish.request.on_event = [&](const AskEvent& event) {
    if (event.kind == AskEventKind::kToken) {
      send("", Chunk(envelope, {{"content", event.text}}, nullptr));
    }
  };
  const auto result = memory.Ask(wish.request, {.progress = {}, .stop = std::move(stop)});
  if (!result.ok()) {
    const Problem problem = ProblemOf(result.status());
    send("", Json::parse(ErrorResponse(Errors::kOpenAi, problem, request_id).body));
    return;
  }
  Json last = Chunk(envelope, Json::object(), FinishReason(wish.request, *result));
  last["kvasir"] = SourcesOf(*result);
  send("", last);
  if (!wish.stream_usage) return;
  Json usage = envelope;
  usage["choices"] = Json::array();
  usage["usage"] = UsageOf(*result);
  send("", usage);
}

Response StreamOf(const Call& call, Wish wish) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers.push_back({"X-Accel-Buffering", "no"});
  response.stream = [memory = call.memory, wish = std::move(wish), id = call.request.id,
                     gone = call.request.gone, ping = call.ping_interval](ResponseSink& sink) {
    EventStream::Run(
        sink,
        [&](const EventStream::Send& send, std::stop_token stop) {
          Stream(*memory, wish, id, send, std::move(stop));
        },
        gone, ping);
    sink.Write("data: [DONE]\n\n");
  };
  return response;
}

}  // namespace

Answer PostChatCompletion(Call& call) {
  auto wish = ReadWish(call);
  if (wish.status().code() == StatusCode::kNotFound) {
    Problem problem = ProblemOf(wish.status());
    problem.code = "model_not_found";
    return problem;
  }
  if (!wish.ok()) return wish.status();
  if (wish->stream) return StreamOf(call, *std::move(wish));
  const CallOptions options{.progress = {}, .stop = call.request.gone};
  KVASIR_ASSIGN_OR_RETURN(const AskResult result, call.memory->Ask(wish->request, options));
  Json json = Envelope(call.request.id, "chat.completion");
  const Json message = {{"role", "assistant"}, {"content", result.text}, {"refusal", nullptr}};
  json["choices"] = Json::array({{{"index", 0},
                                  {"message", message},
                                  {"logprobs", nullptr},
                                  {"finish_reason", FinishReason(wish->request, result)}}});
  json["usage"] = UsageOf(result);
  json["kvasir"] = SourcesOf(result);
  return JsonResponse(json);
}

Answer GetModels(Call& call) {
  KVASIR_RETURN_IF_ERROR(Fields(call.request.head.query).Finish());
  const Json model = {{"id", kModel}, {"object", "model"}, {"created", 0}, {"owned_by", "kvasir"}};
  return JsonResponse({{"object", "list"}, {"data", Json::array({model})}});
}

}  // namespace kvasir::http
