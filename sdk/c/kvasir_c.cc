// The C ABI over kvasir::Memory.
#include "sdk/c/kvasir_c.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "kvasir/kvasir.h"
#include "sdk/c/json_list.h"

struct kvasir_memory {
  std::unique_ptr<kvasir::Memory> memory;
};

namespace {

static_assert(static_cast<int>(kvasir::StatusCode::kInternal) == KVASIR_INTERNAL);
static_assert(static_cast<int>(kvasir::StatusCode::kKeyReused) == KVASIR_KEY_REUSED);

thread_local std::string last_error;

kvasir_code Report(const kvasir::Status& status) {
  last_error = status.message();
  return static_cast<kvasir_code>(status.code());
}

/// Runs `call` where no exception may leave: bad_alloc would end a program written in C.
template <typename Call>
kvasir_code Guarded(Call call) {
  try {
    return Report(call());
  } catch (const std::exception& error) {
    return Report(kvasir::Internal(error.what()));
  }
}

std::string TextOr(const char* text, std::string_view fallback) {
  return std::string(text == nullptr ? fallback : text);
}

/// `text` as the caller's own; ends with NUL.
kvasir::Status GiveOut(const std::string& text, char** target) {
  if (target == nullptr) return kvasir::Status::Ok();
  *target = static_cast<char*>(std::malloc(text.size() + 1));
  if (*target == nullptr) return kvasir::Internal("out of memory");
  std::memcpy(*target, text.c_str(), text.size() + 1);
  return kvasir::Status::Ok();
}

kvasir::Status Require(bool there, const char* what) {
  return there ? kvasir::Status::Ok()
               : kvasir::InvalidArgument(std::string(what) + " may not be NULL");
}

}  // namespace

int kvasir_abi_version(void) { return KVASIR_ABI_VERSION; }

const char* kvasir_version(void) { return kvasir::Version().data(); }

const char* kvasir_last_error(void) { return last_error.c_str(); }

void kvasir_text_free(char* text) { std::free(text); }

kvasir_code kvasir_open(const char* path, const char* model, kvasir_memory** memory) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(Require(memory != nullptr, "memory"));
    kvasir::OpenOptions options;
    options.model = TextOr(model, "");
    KVASIR_ASSIGN_OR_RETURN(auto opened, path == nullptr ? kvasir::Memory::InMemory(options)
                                                         : kvasir::Memory::Open(path, options));
    *memory = new kvasir_memory{std::move(opened)};
    return kvasir::Status::Ok();
  });
}

void kvasir_close(kvasir_memory* memory) { delete memory; }

kvasir_code kvasir_remember(kvasir_memory* memory, const char* text, const char* id,
                            const char* title, const char* space, const char* metadata_json,
                            char** id_out) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(Require(memory != nullptr && text != nullptr, "memory and text"));
    kvasir::RememberRequest request;
    request.text = text;
    request.id = TextOr(id, "");
    request.title = TextOr(title, "");
    request.space = TextOr(space, kvasir::kDefaultSpace);
    if (metadata_json != nullptr) {
      KVASIR_ASSIGN_OR_RETURN(request.metadata, kvasir::ParseMetadata(metadata_json));
    }
    KVASIR_ASSIGN_OR_RETURN(const kvasir::RememberReceipt receipt,
                            memory->memory->Remember(request));
    return GiveOut(receipt.id, id_out);
  });
}

kvasir_code kvasir_recall(kvasir_memory* memory, const char* query, uint32_t top_k,
                          const char* space, const char* filter_json, char** hits_json) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(Require(memory != nullptr && query != nullptr && hits_json != nullptr,
                                   "memory, query and hits_json"));
    kvasir::RecallRequest request;
    request.query = query;
    request.top_k = top_k;
    request.space = TextOr(space, kvasir::kDefaultSpace);
    if (filter_json != nullptr) {
      KVASIR_ASSIGN_OR_RETURN(request.filter, kvasir::ParseFilter(filter_json));
    }
    KVASIR_ASSIGN_OR_RETURN(const kvasir::RecallResult found, memory->memory->Recall(request));
    return GiveOut(kvasir::c::HitsToJson(found.hits), hits_json);
  });
}

kvasir_code kvasir_ask(kvasir_memory* memory, const char* question, const char* space,
                       uint32_t max_new_tokens, kvasir_token_callback on_token, void* user,
                       char** answer) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(
        Require(memory != nullptr && question != nullptr, "memory and question"));
    kvasir::AskRequest request;
    request.question = question;
    request.space = TextOr(space, kvasir::kDefaultSpace);
    request.max_new_tokens = max_new_tokens;
    std::stop_source stop;
    request.on_event = [&](const kvasir::AskEvent& event) {
      if (on_token == nullptr || event.kind != kvasir::AskEventKind::kToken) return;
      if (on_token(std::string(event.text).c_str(), user) != 0) stop.request_stop();
    };
    KVASIR_ASSIGN_OR_RETURN(
        const kvasir::AskResult result,
        memory->memory->Ask(request, {.progress = {}, .stop = stop.get_token()}));
    return GiveOut(result.text, answer);
  });
}

kvasir_code kvasir_forget(kvasir_memory* memory, const char* id, const char* space) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(Require(memory != nullptr && id != nullptr, "memory and id"));
    kvasir::ForgetRequest request;
    request.ids = {id};
    request.space = TextOr(space, kvasir::kDefaultSpace);
    return memory->memory->Forget(request).status();
  });
}

kvasir_code kvasir_get(kvasir_memory* memory, const char* id, const char* space, char** text) {
  return Guarded([&]() -> kvasir::Status {
    KVASIR_RETURN_IF_ERROR(
        Require(memory != nullptr && id != nullptr && text != nullptr, "memory, id and text"));
    KVASIR_ASSIGN_OR_RETURN(const kvasir::MemoryRecord record,
                            memory->memory->Get(id, TextOr(space, kvasir::kDefaultSpace)));
    return GiveOut(record.text, text);
  });
}
