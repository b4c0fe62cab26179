#include "model/question.h"

#include <numeric>
#include <utility>

#include "model/kv_cache.h"
#include "model/raw_queries.h"
#include "model/token_check.h"
#include "model/transformer.h"

namespace kvasir::model {

class Question::Run {
 public:
  Run(std::shared_ptr<const Model> model, std::unique_ptr<Transformer> transformer)
      : model_(std::move(model)),
        transformer_(std::move(transformer)),
        raw_(*model_, *transformer_),
        context_(MakeKvCache(model_->config().layers, model_->key_value_dim())),
        memory_(MakeKvCache(static_cast<std::int64_t>(router().layers.size()),
                            model_->key_value_dim())),
        logits_(model_->config().vocab) {}

  Status Prefill(const PrefillRequest& request);
  Status Append(std::span<const std::int32_t> tokens);
  Result<std::vector<RouterQuery>> Route(std::span<const std::int32_t> tokens,
                                         std::span<const std::uint8_t> routes);

  std::span<const float> logits() const { return logits_; }
  std::int64_t length() const { return length_; }
  std::int64_t KeyCount(std::int32_t layer) const;
  void set_observer(Observer* observer) { transformer_->set_observer(observer); }

 private:
  const RouterSpec& router() const { return model_->router(); }
  Status Begin(Tower tower, std::span<const std::int32_t> tokens, std::int64_t first_position);
  Status Forward(std::span<const std::int32_t> tokens, const PrefillRequest* routing);
  Status SelectMemory(std::int32_t layer, std::int64_t index, const PrefillRequest& request);
  Status AttendToContext(std::int32_t layer, std::int64_t index);
  RouterQuery QueryOf(std::int64_t index, std::span<const std::uint8_t> routes);

  std::shared_ptr<const Model> model_;
  std::unique_ptr<Transformer> transformer_;
  RawQueries raw_;
  KvCache context_;  // The question's own keys and values, every layer.
  KvCache memory_;   // The selected chunks, routed layers.
  std::vector<float> logits_;
  std::int64_t length_ = 0;
  std::int64_t first_position_ = 0;
  bool with_memory_ = false;
  bool ready_ = false;
  std::vector<std::int32_t> positions_;
  std::vector<MemoryBlock> blocks_;
  QueryRoom room_;
};

Status Question::Run::Prefill(const PrefillRequest& request) {
  if (!request.routes.empty() && request.routes.size() != request.tokens.size()) {
    return InvalidArgument("the routing mask must have one entry per token");
  }
  ready_ = false;
  length_ = 0;
  with_memory_ = request.memory != nullptr;
  first_position_ = 0;
  if (with_memory_) {
    first_position_ = static_cast<std::int64_t>(model_->template_head().size()) + router().top_k;
  }
  for (KvRows& rows : context_) rows.Clear();
  for (KvRows& rows : memory_) rows.Clear();
  KVASIR_RETURN_IF_ERROR(Forward(request.tokens, with_memory_ ? &request : nullptr));
  ready_ = true;
  return Status::Ok();
}

Status Question::Run::Append(std::span<const std::int32_t> tokens) {
  if (!ready_) return InvalidArgument("there is no context to continue; call Prefill first");
  ready_ = false;
  KVASIR_RETURN_IF_ERROR(Forward(tokens, nullptr));
  ready_ = true;
  return Status::Ok();
}

Status Question::Run::Begin(Tower tower, std::span<const std::int32_t> tokens,
                            std::int64_t first_position) {
  KVASIR_RETURN_IF_ERROR(CheckTokens(model_->config(), tokens, first_position));
  positions_.resize(tokens.size());
  std::iota(positions_.begin(), positions_.end(), static_cast<std::int32_t>(first_position));
  KVASIR_RETURN_IF_ERROR(transformer_->Reserve(static_cast<std::int64_t>(tokens.size())));
  return transformer_->Begin(tower, tokens, positions_);
}

Status Question::Run::Forward(std::span<const std::int32_t> tokens, const PrefillRequest* routing) {
  KVASIR_RETURN_IF_ERROR(Begin(Tower::kLanguage, tokens, first_position_ + length_));
  if (routing != nullptr) KVASIR_RETURN_IF_ERROR(raw_.Reserve(transformer_->tokens()));
  Transformer& t = *transformer_;
  for (std::int32_t layer = 0; layer < model_->config().layers; ++layer) {
    const std::int64_t index = router().IndexOf(layer);
    const bool routes = routing != nullptr && index >= 0;
    t.Project(layer);
    if (routes) raw_.TakeUnrotated(layer, index);
    t.Rotate();
    if (routes) {
      raw_.TakeRotated(index);
      KVASIR_RETURN_IF_ERROR(SelectMemory(layer, index, *routing));
    }
    KVASIR_RETURN_IF_ERROR(AttendToContext(layer, index));
    KVASIR_RETURN_IF_ERROR(t.FeedForward(layer));
  }
  length_ += t.tokens();
  return t.Logits(logits_);
}

Status Question::Run::SelectMemory(std::int32_t layer, std::int64_t index,
                                   const PrefillRequest& request) {
  raw_.Download(index);
  // Also ends the upload of the layer before, whose blocks may go once Select is called.
  KVASIR_RETURN_IF_ERROR(transformer_->stream().Synchronize());
  const RouterQuery query = QueryOf(index, request.routes);
  blocks_.clear();
  KVASIR_RETURN_IF_ERROR(request.memory->Select(query, blocks_));

  const auto dim = static_cast<std::size_t>(model_->key_value_dim());
  std::size_t numbers = 0;
  for (const MemoryBlock& block : blocks_) {
    if (block.keys.size() != block.values.size() || block.keys.size() % dim != 0) {
      return InvalidArgument("memory for layer " + std::to_string(layer) +
                             " is not made of whole rows of " + std::to_string(dim) + " numbers");
    }
    numbers += block.keys.size();
  }
  KvRows& rows = memory_[index];
  KVASIR_RETURN_IF_ERROR(rows.Reserve(model_->backend(), transformer_->stream(),
                                      static_cast<std::int64_t>(numbers / dim)));
  for (const MemoryBlock& block : blocks_) {
    if (!block.keys.empty()) rows.Upload(transformer_->stream(), block.keys, block.values);
  }
  return Status::Ok();
}

Status Question::Run::AttendToContext(std::int32_t layer, std::int64_t index) {
  Transformer& t = *transformer_;
  KvRows& context = context_[layer];
  KVASIR_RETURN_IF_ERROR(
      context.Reserve(model_->backend(), t.stream(), context.length() + t.tokens()));
  context.Append(t.stream(), t.key_values());

  compute::KeyValues memory[2];
  std::size_t count = 0;
  if (with_memory_ && !model_->template_head().empty()) {
    memory[count++] = model_->weights().template_head[layer].View();
  }
  if (with_memory_ && index >= 0 && memory_[index].length() > 0) {
    memory[count++] = memory_[index].View();
  }
  const compute::AttentionSequence sequence{.query_begin = 0,
                                            .query_count = t.tokens(),
                                            .memory = std::span(memory, count),
                                            .self = context.View()};
  t.Attend(layer, std::span(&sequence, 1));
  return Status::Ok();
}

RouterQuery Question::Run::QueryOf(std::int64_t index, std::span<const std::uint8_t> routes) {
  const std::int32_t layer = router().layers[index];
  if (Observer* observer = transformer_->observer()) {
    std::vector<float> heads(raw_.Host(index).begin(), raw_.Host(index).end());
    FinishHeads(router(), heads);
    observer->See(Probe::kRouterQuery, layer, heads, router().query_dim());
  }
  return FormQuery(router(), layer, raw_.Host(index), routes, &room_);
}

Result<std::vector<RouterQuery>> Question::Run::Route(std::span<const std::int32_t> tokens,
                                                      std::span<const std::uint8_t> routes) {
  if (!routes.empty() && routes.size() != tokens.size()) {
    return InvalidArgument("the routing mask must have one entry per token");
  }
  const bool behind_head = router().route_behind_head && !model_->template_head().empty();
  const auto head = static_cast<std::int64_t>(model_->template_head().size());
  KVASIR_RETURN_IF_ERROR(
      Begin(Tower::kMemory, tokens, router().route_behind_head ? head + router().top_k : 0));
  KVASIR_RETURN_IF_ERROR(raw_.Reserve(transformer_->tokens()));
  Transformer& t = *transformer_;
  const std::int32_t last = router().layers.back();
  for (std::int32_t layer = 0; layer <= last; ++layer) {
    const std::int64_t index = router().IndexOf(layer);
    t.Project(layer);
    if (index >= 0) raw_.TakeUnrotated(layer, index);
    t.Rotate();
    if (index >= 0) {
      raw_.TakeRotated(index);
      raw_.Download(index);
    }
    if (layer == last) break;
    compute::KeyValues memory;
    if (behind_head) memory = model_->weights().template_head[layer].View();
    const compute::AttentionSequence sequence{.query_begin = 0,
                                              .query_count = t.tokens(),
                                              .memory = std::span(&memory, behind_head ? 1 : 0),
                                              .self = {.k = t.keys(), .v = t.values()}};
    t.Attend(layer, std::span(&sequence, 1));
    KVASIR_RETURN_IF_ERROR(t.FeedForward(layer));
  }
  KVASIR_RETURN_IF_ERROR(t.stream().Synchronize());

  std::vector<RouterQuery> queries;
  queries.reserve(router().layers.size());
  for (std::size_t i = 0; i < router().layers.size(); ++i) queries.push_back(QueryOf(i, routes));
  return queries;
}

std::int64_t Question::Run::KeyCount(std::int32_t layer) const {
  const std::int64_t index = router().IndexOf(layer);
  std::int64_t count = context_[layer].length();
  if (with_memory_) count += static_cast<std::int64_t>(model_->template_head().size());
  if (with_memory_ && index >= 0) count += memory_[index].length();
  return count;
}

Result<std::unique_ptr<Question>> Question::Make(std::shared_ptr<const Model> model) {
  KVASIR_ASSIGN_OR_RETURN(auto transformer,
                          Transformer::Make(model->config(), model->weights(), model->backend()));
  return std::unique_ptr<Question>(
      new Question(std::make_unique<Run>(std::move(model), std::move(transformer))));
}

Question::Question(std::unique_ptr<Run> run) : run_(std::move(run)) {}
Question::~Question() = default;

Status Question::Prefill(const PrefillRequest& request) { return run_->Prefill(request); }
Status Question::Append(std::span<const std::int32_t> tokens) { return run_->Append(tokens); }
std::span<const float> Question::logits() const { return run_->logits(); }
std::int64_t Question::length() const { return run_->length(); }
std::int64_t Question::KeyCount(std::int32_t layer) const { return run_->KeyCount(layer); }
void Question::set_observer(Observer* observer) { run_->set_observer(observer); }
Result<std::vector<RouterQuery>> Question::Route(std::span<const std::int32_t> tokens,
                                                 std::span<const std::uint8_t> routes) {
  return run_->Route(tokens, routes);
}

}  // namespace kvasir::model
