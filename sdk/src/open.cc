// Memory::Open and its sisters: from a path and options to a store, a model and a bank.
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <filesystem>
#include <system_error>
#include <utility>

#include "compute/backend.h"
#include "kvasir/memory.h"
#include "model/model.h"
#include "sdk/src/embedded_memory.h"
#include "sdk/src/guard.h"
#include "sdk/src/paths.h"
#include "storage/store.h"

namespace kvasir {
namespace sdk {
namespace {

constexpr std::uint64_t kPostingsOnABudget = std::uint64_t{64} << 20;

struct LoadedModel {
  std::shared_ptr<const model::Model> model;
  std::string name;     // For people.
  std::string backend;  // For people.
};

Result<LoadedModel> LoadModel(const std::string& path, const OpenOptions& options) {
  LoadedModel loaded;
  if (!options.load_model) return loaded;
  KVASIR_ASSIGN_OR_RETURN(const auto adapter, FindAdapter(options.adapter, path));
  compute::BackendOptions backend_options;
  backend_options.name = options.backend;
  backend_options.threads = options.threads;
  KVASIR_ASSIGN_OR_RETURN(auto backend, compute::MakeBackend(backend_options));
  loaded.backend = backend->Name();
  KVASIR_ASSIGN_OR_RETURN(
      loaded.model, model::Model::Load(path, std::move(backend),
                                       {.adapter = adapter.value_or(""), .template_head = {}}));
  if (options.on_warning) {
    for (const std::string& line : loaded.model->warnings()) options.on_warning(line);
  }
  loaded.name = std::filesystem::path(path).stem().string();
  if (adapter) loaded.name += " + " + std::filesystem::path(*adapter).stem().string();
  return loaded;
}

agent::BankOptions BankOptionsOf(const OpenOptions& options, const LoadedModel& loaded) {
  agent::BankOptions bank;
  bank.quantiser = options.quantiser;
  bank.threads = options.threads;
  bank.memory_bytes = options.memory_bytes;
  bank.model_name = loaded.name;
  if (!options.reasoner_url.empty()) {
    bank.reasoner = agent::ReasonerOptions{.url = options.reasoner_url,
                                           .model = options.reasoner_model,
                                           .key_file = options.reasoner_key_file};
  }
  return bank;
}

}  // namespace

Result<std::unique_ptr<Memory>> OpenEmbedded(const std::string& path, const OpenOptions& options,
                                             const Seams& seams) {
  KVASIR_ASSIGN_OR_RETURN(const std::string folder, ExpandHome(path));
  storage::StoreOptions store_options;
  store_options.create = options.create;
  store_options.read_only = options.read_only;
  store_options.accept_loss = options.accept_loss;
  if (options.memory_bytes > 0) store_options.posting_cache_bytes = kPostingsOnABudget;
  store_options.clock = seams.clock;
  store_options.random = seams.random;
  // A model that is not there leaves no new store behind; a store that is locked says so before a
  // model is loaded in vain.
  std::string model_path;
  if (options.load_model) {
    KVASIR_ASSIGN_OR_RETURN(model_path, FindModel(options.model));
  }
  KVASIR_ASSIGN_OR_RETURN(auto store, storage::Store::Open(folder, store_options));
  KVASIR_ASSIGN_OR_RETURN(LoadedModel loaded, LoadModel(model_path, options));
  KVASIR_ASSIGN_OR_RETURN(
      auto bank, agent::Bank::Make(std::move(store), loaded.model, BankOptionsOf(options, loaded)));
  return std::unique_ptr<Memory>(
      std::make_unique<EmbeddedMemory>(std::move(bank), std::move(loaded.backend)));
}

Result<TemporaryFolder> TemporaryFolder::Make() {
  std::error_code error;
  const auto parent = std::filesystem::temp_directory_path(error);
  std::string name = (parent / "kvasir-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    return Unavailable("cannot make a temporary folder in " + parent.string());
  }
  return TemporaryFolder(std::filesystem::path(name));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // Nobody is left to be told.
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace sdk

Result<std::unique_ptr<Memory>> Memory::Open(const std::string& path, const OpenOptions& options) {
  return sdk::Guarded([&] { return sdk::OpenEmbedded(path, options); });
}

Result<std::unique_ptr<Memory>> Memory::InMemory(const OpenOptions& options) {
  return sdk::Guarded([&]() -> Result<std::unique_ptr<Memory>> {
    KVASIR_ASSIGN_OR_RETURN(sdk::TemporaryFolder folder, sdk::TemporaryFolder::Make());
    KVASIR_ASSIGN_OR_RETURN(auto memory,
                            sdk::OpenEmbedded((folder.path() / "store").string(), options));
    static_cast<sdk::EmbeddedMemory&>(*memory).Keep(std::move(folder));
    return memory;
  });
}

Status RestoreBackup(const std::string& folder, const std::string& path) {
  return sdk::Guarded([&]() -> Status {
    KVASIR_ASSIGN_OR_RETURN(const std::string from, sdk::ExpandHome(folder));
    KVASIR_ASSIGN_OR_RETURN(const std::string to, sdk::ExpandHome(path));
    return storage::Store::Restore(from, to);
  });
}

std::string_view Version() { return KVASIR_VERSION; }

}  // namespace kvasir
