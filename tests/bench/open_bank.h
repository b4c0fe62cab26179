// A store as the benchmarks that only ask it open it.
#ifndef KVASIR_TESTS_BENCH_OPEN_BANK_H_
#define KVASIR_TESTS_BENCH_OPEN_BANK_H_

#include <memory>
#include <string>
#include <utility>

#include "agent/bank.h"
#include "compute/backend.h"
#include "kvasir/status.h"
#include "model/model.h"
#include "storage/store.h"

namespace kvasir::bench {

/// Read only. Errors: of the store and of the model; that the store was made with another model.
inline Result<std::unique_ptr<agent::Bank>> OpenBank(const std::string& store_path,
                                                     const std::string& model_path,
                                                     const std::string& adapter) {
  KVASIR_ASSIGN_OR_RETURN(auto backend, compute::MakeBackend({}));
  KVASIR_ASSIGN_OR_RETURN(auto model,
                          model::Model::Load(model_path, std::move(backend),
                                             {.adapter = adapter, .template_head = {}}));
  storage::StoreOptions options;
  options.read_only = true;
  KVASIR_ASSIGN_OR_RETURN(auto store, storage::Store::Open(store_path, options));
  KVASIR_ASSIGN_OR_RETURN(auto bank, agent::Bank::Make(std::move(store), std::move(model), {}));
  KVASIR_RETURN_IF_ERROR(bank->NeedModel());
  return bank;
}

}  // namespace kvasir::bench

#endif  // KVASIR_TESTS_BENCH_OPEN_BANK_H_
