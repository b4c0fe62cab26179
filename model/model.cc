#include "model/model.h"

#include <numeric>
#include <utility>

#include "model/chat_template.h"
#include "model/model_files.h"
#include "model/token_check.h"
#include "model/transformer.h"

namespace kvasir::model {

Result<std::shared_ptr<const Model>> Model::Load(const std::string& path,
                                                 std::shared_ptr<compute::Backend> backend,
                                                 const LoadOptions& options) {
  KVASIR_ASSIGN_OR_RETURN(ModelFiles files, OpenModelFiles(path));
  return Assemble({.weights = std::move(files.weights),
                   .config = std::move(files.config),
                   .tokenizer = std::move(files.tokenizer)},
                  std::move(backend), options);
}

Result<std::shared_ptr<const Model>> Model::Assemble(ModelParts parts,
                                                     std::shared_ptr<compute::Backend> backend,
                                                     const LoadOptions& options) {
  std::shared_ptr<Model> model(new Model());
  model->config_ = parts.config;
  model->tokenizer_ = std::move(parts.tokenizer);
  model->backend_ = std::move(backend);
  KVASIR_RETURN_IF_ERROR(model->LoadParts(parts, options));
  KVASIR_RETURN_IF_ERROR(model->ChooseTemplateHead(options));
  KVASIR_RETURN_IF_ERROR(model->EncodeTemplateHead());
  return std::shared_ptr<const Model>(std::move(model));
}

Status Model::LoadParts(const ModelParts& parts, const LoadOptions& options) {
  std::optional<Adapter> adapter;
  router_ = RouterSpecOf(config_);
  if (!options.adapter.empty()) {
    KVASIR_ASSIGN_OR_RETURN(adapter, Adapter::Open(options.adapter, config_));
    adapter_ = adapter->info();
    router_ = adapter_->router;
  } else if (config_.msa && config_.msa->trained_as_cosine_but_inferred_as_dot()) {
    warnings_.push_back("this checkpoint was trained with unit router vectors (aux_loss_method " +
                        config_.msa->aux_loss_method +
                        ") but its reference infers with plain dot products; kvasir follows the "
                        "inference");
  }
  const Adapter* changes = adapter ? &*adapter : nullptr;
  KVASIR_ASSIGN_OR_RETURN(weights_,
                          LoadWeights(*parts.weights, config_, router_, changes, *backend_));
  fingerprint_ = FingerprintOf(*parts.weights, changes, config_, router_,
                               tokenizer_ ? tokenizer_->fingerprint() : 0);
  return Status::Ok();
}

Status Model::ChooseTemplateHead(const LoadOptions& options) {
  template_head_ = options.template_head;
  if (!template_head_.empty()) return CheckTokens(config_, template_head_, 0);
  if (!tokenizer_) return Status::Ok();
  const auto chat = ChatTemplate::Create(*tokenizer_);
  if (chat.ok()) template_head_ = chat->head();
  return Status::Ok();
}

/// Once for all questions: the head sees only itself, so its keys and values never change.
Status Model::EncodeTemplateHead() {
  KvCache& cache = weights_->template_head;
  cache = MakeKvCache(config_.layers, key_value_dim());
  if (template_head_.empty()) return Status::Ok();
  std::vector<std::int32_t> positions(template_head_.size());
  std::iota(positions.begin(), positions.end(), 0);
  KVASIR_ASSIGN_OR_RETURN(const auto t, Transformer::Make(config_, *weights_, *backend_));
  KVASIR_RETURN_IF_ERROR(t->Reserve(static_cast<std::int64_t>(template_head_.size())));
  KVASIR_RETURN_IF_ERROR(t->Begin(Tower::kLanguage, template_head_, positions));
  for (std::int32_t layer = 0; layer < config_.layers; ++layer) {
    t->Project(layer);
    t->Rotate();
    KVASIR_RETURN_IF_ERROR(cache[layer].Reserve(*backend_, t->stream(), t->tokens()));
    cache[layer].Append(t->stream(), t->key_values());
    const compute::AttentionSequence alone{
        .query_begin = 0, .query_count = t->tokens(), .memory = {}, .self = cache[layer].View()};
    t->Attend(layer, std::span(&alone, 1));
    KVASIR_RETURN_IF_ERROR(t->FeedForward(layer));
  }
  return t->stream().Synchronize();
}

}  // namespace kvasir::model
