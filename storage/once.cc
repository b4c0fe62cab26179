// Writes that are done once: a row per idempotency key, in the batch of the write itself, and a row
// by which the document's erasure finds it.
#include "storage/once.h"

#include <array>

#include "storage/coding.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHashBytes = 16;
constexpr std::size_t kContentHashBytes = 64;

std::string HashIn(std::string_view row_key) {
  return std::string(row_key.substr(row_key.size() - kHashBytes));
}

Status CheckKey(std::string_view key) {
  if (!key.empty() && key.size() <= kMaxOnceKeyBytes) return Status::Ok();
  return InvalidArgument("idempotency_key: must be 1 to " + std::to_string(kMaxOnceKeyBytes) +
                         " bytes");
}

}  // namespace

std::string EncodeOnceRow(const OnceRow& row, std::string_view checked_key) {
  const RememberReceipt& receipt = row.receipt;
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kFormat);
  bytes.append(row.request_hash);
  out.Fixed(receipt.number);
  out.Fixed(receipt.version);
  out.Fixed(receipt.outcome);
  out.Fixed(receipt.segments);
  out.Fixed(receipt.tokens);
  out.Bytes(receipt.id);
  out.Bytes(receipt.content_hash);
  SealRow(&bytes, checked_key);
  return bytes;
}

Result<OnceRow> DecodeOnceRow(std::string_view bytes, std::string_view checked_key) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("idempotency key: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kFormat) return Corruption("idempotency key: unknown format");
  OnceRow row;
  const auto hash = in.Fixed<std::array<char, kHashBytes>>();
  row.request_hash.assign(hash.data(), hash.size());
  row.receipt.number = in.Fixed<std::uint64_t>();
  row.receipt.version = in.Fixed<std::uint32_t>();
  const auto outcome = in.Fixed<std::uint8_t>();
  if (outcome > static_cast<std::uint8_t>(RememberOutcome::kUnchanged)) {
    return Corruption("idempotency key: unknown outcome");
  }
  row.receipt.outcome = static_cast<RememberOutcome>(outcome);
  row.receipt.segments = in.Fixed<std::uint32_t>();
  row.receipt.tokens = in.Fixed<std::uint64_t>();
  row.receipt.id = std::string(in.Bytes(kMaxIdBytes));
  row.receipt.content_hash = std::string(in.Bytes(kContentHashBytes));
  if (!in.AtEnd()) return Corruption("idempotency key: bad length");
  return row;
}

Result<std::optional<RememberReceipt>> Store::Impl::FindOnce(SpaceId space,
                                                             const OnceKey& once) const {
  KVASIR_RETURN_IF_ERROR(CheckKey(once.key));
  const ReadView view = engine->View();
  const std::string key = OnceRowKey(space, identity.hash_key, once.key);
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(Family::kMeta, key, &bytes));
  if (!found) return std::optional<RememberReceipt>();
  KVASIR_ASSIGN_OR_RETURN(OnceRow kept, DecodeOnceRow(bytes, key));
  // An expired memory is gone for every reader, although its rows wait for the purge.
  KVASIR_ASSIGN_OR_RETURN(const auto head, LoadHead(view, space, kept.receipt.number));
  if (!head || Expired(head->record)) return std::optional<RememberReceipt>();
  if (kept.request_hash != SipHash128(identity.hash_key, once.request)) {
    return KeyReused("this idempotency key was given with another request before");
  }
  return std::optional(std::move(kept.receipt));
}

Status Store::Impl::PlanOnce(const ReadView& view, SpaceId space, const OnceKey& once,
                             const RememberReceipt& receipt, CommitPlan* plan) const {
  KVASIR_RETURN_IF_ERROR(CheckKey(once.key));
  const std::string key = OnceRowKey(space, identity.hash_key, once.key);
  std::string bytes;
  KVASIR_ASSIGN_OR_RETURN(const bool found, view.Get(Family::kMeta, key, &bytes));
  if (!plan->once.insert(key).second) return Conflict("an idempotency key comes twice at once");
  if (found) {
    KVASIR_ASSIGN_OR_RETURN(const OnceRow kept, DecodeOnceRow(bytes, key));
    KVASIR_ASSIGN_OR_RETURN(const auto head, LoadHead(view, space, kept.receipt.number));
    if (head && !Expired(head->record)) {
      return Conflict("a write with this idempotency key was made meanwhile");
    }
    // Of an expired memory: the key is free, and must no longer be counted as that one's.
    plan->batch.Delete(Family::kMeta, OnceOwnerPrefix(space, kept.receipt.number) + HashIn(key));
  }
  const OnceRow kept{.request_hash = SipHash128(identity.hash_key, once.request),
                     .receipt = receipt};
  plan->batch.Put(Family::kMeta, key, EncodeOnceRow(kept, key));
  plan->batch.Put(Family::kMeta, OnceOwnerPrefix(space, receipt.number) + HashIn(key), "");
  return Status::Ok();
}

Status Store::Impl::PlanEraseOnce(const ReadView& view, SpaceId space, DocumentNumber number,
                                  CommitPlan* plan) const {
  const std::string prefix = OnceOwnerPrefix(space, number);
  Cursor owned = view.Seeker({Family::kMeta, prefix, PrefixEnd(prefix)});
  for (owned.Seek(prefix); owned.Valid(); owned.Next()) {
    plan->batch.Delete(Family::kMeta, owned.key());
    plan->batch.Delete(Family::kMeta, OnceSpacePrefix('K', space) + HashIn(owned.key()));
  }
  return owned.status();
}

Status Store::Impl::KeepOnce(SpaceId space, const OnceKey& once, const RememberReceipt& receipt) {
  const std::scoped_lock turn(write_mutex);
  KVASIR_RETURN_IF_ERROR(CheckWritable(/*needs_space=*/true));
  CommitPlan plan = StartPlan(LedgerKind::kWrite);
  {
    const ReadView view = engine->View();
    KVASIR_ASSIGN_OR_RETURN(const auto head, LoadHead(view, space, receipt.number));
    if (!head || Expired(head->record)) return NotFound("the memory is gone");
    KVASIR_RETURN_IF_ERROR(PlanOnce(view, space, once, receipt, &plan));
  }
  return Apply(std::move(plan));
}

}  // namespace kvasir::storage
