// What every part of the agent works on: one store, one model, and what is kept in memory of them.
#ifndef KVASIR_AGENT_BANK_H_
#define KVASIR_AGENT_BANK_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/framing.h"
#include "agent/fusion.h"
#include "agent/kv_pages.h"
#include "agent/reasoner.h"
#include "agent/router_index.h"
#include "agent/work_meter.h"
#include "compute/pool.h"
#include "kvasir/memory.h"
#include "model/encoder.h"
#include "model/model.h"
#include "model/question.h"
#include "storage/store.h"

namespace kvasir::agent {

struct BankOptions {
  Quantiser quantiser = Quantiser::kInt8;
  int threads = 0;                                     ///< Of one scan; 0: one per core.
  std::size_t questions = 4;                           ///< Recalls that run the model at once.
  std::size_t kv_cache_bytes = std::size_t{64} << 20;  ///< At most, under a budget.
  std::uint64_t memory_bytes = 0;  ///< Of router indexes, their keys and the KV cache; 0: no limit.
  std::string model_name;          ///< For people; part of the store's identity.
  std::optional<ReasonerOptions> reasoner;  ///< Nothing: the local model answers.
};

/// Owns the store and shares the model. Every method may be called from any thread.
///
/// Lock order (README.md): a pool's loan, then the commit mutex, then the router index, then a
/// space's index, then the KV pages. The store's own locks come last.
class Bank {
 public:
  /// `model` may be null: then only what needs no model works. A new store takes the model as its
  /// own; one that needs another model is opened all the same, see NeedModel.
  static Result<std::unique_ptr<Bank>> Make(std::unique_ptr<storage::Store> store,
                                            std::shared_ptr<const model::Model> model,
                                            const BankOptions& options);
  Bank(const Bank&) = delete;
  Bank& operator=(const Bank&) = delete;

  storage::Store& store() { return *store_; }
  const BankOptions& options() const { return options_; }

  /// The space that every request means which names none is always there, if only empty.
  Status EnsureDefaultSpace();

  /// kUnavailable when no model was loaded; kConflict, naming both, when the store's segments need
  /// another one.
  Status NeedModel() const;
  /// kUnavailable when no model was loaded.
  Status NeedAnyModel() const;

  // What follows may be used after NeedModel or NeedAnyModel said ok.
  const model::Model& model() const { return *model_; }
  storage::ModelIdentity identity() const;
  const Framing& framing() const { return *framing_; }
  const FusionWeights& fusion() const { return fusion_; }
  compute::Pool<model::Encoder>& encoders() { return encoders_; }
  compute::Pool<model::Question>& questions() { return questions_; }  ///< Short: one recall.
  compute::Pool<model::Question>& answers() { return answers_; }  ///< Long: one `ask` at a time.
  RouterIndex* router_index() { return router_index_.get(); }     ///< Null without a model.
  KvPages* kv_pages() { return kv_pages_.get(); }                 ///< Null without a model.
  WorkMeter& work() { return work_; }

  /// Held from before a change of the store until router index and cache have followed it.
  std::mutex& commits() { return commits_; }

 private:
  Bank(std::unique_ptr<storage::Store> store, std::shared_ptr<const model::Model> model,
       const BankOptions& options);

  const BankOptions options_;
  const std::unique_ptr<storage::Store> store_;
  const std::shared_ptr<const model::Model> model_;
  std::optional<Framing> framing_;
  FusionWeights fusion_;
  std::mutex commits_;
  std::unique_ptr<RouterIndex> router_index_;
  std::unique_ptr<KvPages> kv_pages_;
  WorkMeter work_;
  compute::Pool<model::Encoder> encoders_;
  compute::Pool<model::Question> questions_;
  compute::Pool<model::Question> answers_;
};

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_BANK_H_
