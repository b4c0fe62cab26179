#include "agent/bank.h"

#include <utility>

namespace kvasir::agent {
namespace {

std::string Hex(const storage::ModelFingerprint& fingerprint) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : fingerprint) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Describe(const storage::ModelIdentity& identity) {
  return identity.name + " (" + Hex(identity.fingerprint) + ")";
}

}  // namespace

Bank::Bank(std::unique_ptr<storage::Store> store, std::shared_ptr<const model::Model> model,
           const BankOptions& options)
    : options_(options),
      store_(std::move(store)),
      model_(std::move(model)),
      // Two: one encodes while the other's segments are packed and written.
      encoders_(2, [this] { return model::Encoder::Make(model_); }),
      questions_(options.questions, [this] { return model::Question::Make(model_); }),
      answers_(1, [this] { return model::Question::Make(model_); }) {}

Result<std::unique_ptr<Bank>> Bank::Make(std::unique_ptr<storage::Store> store,
                                         std::shared_ptr<const model::Model> model,
                                         const BankOptions& options) {
  std::unique_ptr<Bank> bank(new Bank(std::move(store), std::move(model), options));
  KVASIR_RETURN_IF_ERROR(bank->EnsureDefaultSpace());
  if (!bank->model_) return bank;
  KVASIR_ASSIGN_OR_RETURN(bank->framing_, Framing::Make(*bank->model_));
  bank->fusion_ = FusionFor(*bank->model_);
  const MemoryBudget budget{.total = options.memory_bytes, .most_kv = options.kv_cache_bytes};
  bank->router_index_ = std::make_unique<RouterIndex>(*bank->store_, bank->model_->router(),
                                                      options.threads, bank->commits_, budget);
  KVASIR_ASSIGN_OR_RETURN(const std::size_t most_kv, MostKvBytes(*bank->model_));
  bank->kv_pages_ = std::make_unique<KvPages>(*bank->store_, most_kv, budget.kv());
  if (!bank->store_->model() && !bank->store_->read_only()) {
    KVASIR_RETURN_IF_ERROR(bank->store_->SetModel(bank->identity()));
  }
  return bank;
}

storage::ModelIdentity Bank::identity() const {
  return {.fingerprint = model_->fingerprint(), .name = options_.model_name};
}

Status Bank::EnsureDefaultSpace() {
  if (store_->read_only()) return Status::Ok();
  Status made = store_->EnsureSpace(std::string(kDefaultSpace)).status();
  // A full disk must not keep anybody from forgetting; the space comes with the next memory.
  return made.code() == StatusCode::kNoSpace ? Status::Ok() : made;
}

Status Bank::NeedAnyModel() const {
  if (model_) return Status::Ok();
  return Unavailable("no model is loaded; open the store with one to remember, recall and ask");
}

Status Bank::NeedModel() const {
  KVASIR_RETURN_IF_ERROR(NeedAnyModel());
  const auto needed = store_->model();
  if (!needed || needed->fingerprint == model_->fingerprint()) return Status::Ok();
  return Conflict("the store's segments were made by " + Describe(*needed) +
                  ", the loaded model is " + Describe(identity()) +
                  ": open the store with the first, or reencode it");
}

}  // namespace kvasir::agent
