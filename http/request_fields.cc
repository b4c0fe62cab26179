#include "http/request_fields.h"

#include <string>

namespace kvasir::http {
namespace {

constexpr std::uint32_t kMaxNewTokens = 2048;

Trust ReadLeastTrust(Fields& fields) {
  std::string word = "untrusted";
  fields.Get("least_trust", word);
  if (word == "user") return Trust::kUser;
  if (word == "operator") return Trust::kOperator;
  if (word != "untrusted") {
    fields.Fail("\"least_trust\" must be \"untrusted\", \"user\" or \"operator\"");
  }
  return Trust::kUntrusted;
}

}  // namespace

void ReadFields(Fields& fields, RememberRequest& request) {
  std::string trust = "user";
  const bool has_text = fields.Has("text");
  const bool has_messages = fields.Has("messages");
  fields.Get("text", request.text);
  fields.Get("messages", request.messages);
  fields.Get("id", request.id);
  fields.Get("title", request.title);
  fields.Get("session", request.session);
  fields.Get("user_id", request.user_id);
  fields.Get("agent_id", request.agent_id);
  fields.Get("metadata", request.metadata);
  fields.Get("source", request.provenance.source);
  fields.Get("trust", trust);
  fields.Get("expires_at", request.expires_at);
  fields.Get("valid_from", request.valid_from);
  fields.Get("valid_to", request.valid_to);
  if (has_text == has_messages) fields.Fail("give either \"text\" or \"messages\"");
  // Callers may lower the trust in what they pass on; only the operator's own tools may raise it.
  if (trust != "user" && trust != "untrusted") {
    fields.Fail("\"trust\" must be \"user\" or \"untrusted\"");
  }
  request.provenance.trust = trust == "user" ? Trust::kUser : Trust::kUntrusted;
}

void ReadFields(Fields& fields, RecallRequest& request) {
  fields.Get("query", request.query);
  fields.GetCount("top_k", request.top_k, 1, 1000);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.Get("threshold", request.threshold, 0.0, 1.0);
  fields.Get("as_of", request.as_of);
  fields.GetCount("hops", request.hops, 1, 4);
  fields.Get("latent", request.latent);
  fields.Get("lexical", request.lexical);
  fields.Get("explain", request.explain);
  fields.Get("exact", request.exact);
  fields.Get("wait", request.wait);
  if (request.query.empty()) fields.Fail("\"query\" is missing or empty");
  if (!request.latent && !request.lexical) {
    fields.Fail("at least one of \"latent\" and \"lexical\" must be true");
  }
}

void ReadFields(Fields& fields, AskRequest& request) {
  double temperature = request.temperature;
  double top_p = request.top_p;
  fields.Get("question", request.question);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.GetCount("max_hops", request.max_hops, 1, 8);
  fields.GetCount("documents_per_hop", request.documents_per_hop, 1, 16);
  fields.GetCount("max_new_tokens", request.max_new_tokens, 1, kMaxNewTokens);
  fields.Get("temperature", temperature, 0.0, 2.0);
  fields.Get("top_p", top_p, 0.0, 1.0);
  fields.GetCount("seed", request.seed, 0, UINT64_MAX);
  fields.Get("stop", request.stop);
  fields.Get("latent_memory", request.latent_memory);
  fields.Get("as_of", request.as_of);
  fields.Get("explain", request.explain);
  if (request.question.empty()) fields.Fail("\"question\" is missing or empty");
  request.least_trust = ReadLeastTrust(fields);
  request.temperature = static_cast<float>(temperature);
  request.top_p = static_cast<float>(top_p);
}

void ReadFields(Fields& fields, ListRequest& request) {
  std::string view = "full";
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.GetCount("limit", request.limit, 1, 1000);
  fields.Get("cursor", request.cursor);
  fields.Get("view", view);
  if (view != "full" && view != "basic") fields.Fail("\"view\" must be \"basic\" or \"full\"");
  request.with_text = view == "full";
}

void ReadFields(Fields& fields, UpdateRequest& request) {
  fields.Get("text", request.text);
  fields.Get("title", request.title);
  fields.Get("metadata", request.metadata);
  fields.Get("expires_at", request.expires_at);
  fields.Get("valid_from", request.valid_from);
  fields.Get("valid_to", request.valid_to);
}

void ReadFields(Fields& fields, ForgetRequest& request) {
  fields.Get("ids", request.ids);
  fields.Get("session", request.session);
  fields.Get("filters", request.filter);
  fields.Get("whole_space", request.whole_space);
  fields.Get("defer", request.defer);
  fields.Get("dry_run", request.dry_run);
  fields.GetCount("max", request.max, 1, 1'000'000'000);
  const int ways = (fields.Has("ids") ? 1 : 0) + (request.session ? 1 : 0) +
                   (request.filter ? 1 : 0) + (request.whole_space ? 1 : 0);
  if (ways != 1) {
    fields.Fail("say what to forget in exactly one way: ids, session, filters or whole_space");
  }
  if (fields.Has("ids") && request.ids.empty()) fields.Fail("\"ids\" is empty");
}

}  // namespace kvasir::http
