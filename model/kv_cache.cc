#include "model/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace kvasir::model {
namespace {

// A decode that starts from a short question would otherwise grow every few tokens.
constexpr std::int64_t kLeastRows = 64;

}  // namespace

Status KvRows::Reserve(compute::Backend& backend, compute::Stream& stream, std::int64_t rows) {
  if (rows <= capacity_) return Status::Ok();
  const std::int64_t capacity = std::max({rows, 2 * capacity_, kLeastRows});
  KVASIR_ASSIGN_OR_RETURN(auto grown, backend.Allocate(capacity * 2 * dim_));
  if (length_ > 0) {
    stream.Copy(buffer_->View(length_, 2 * dim_), grown->View(length_, 2 * dim_));
    KVASIR_RETURN_IF_ERROR(stream.Synchronize());
  }
  buffer_ = std::move(grown);
  capacity_ = capacity;
  return Status::Ok();
}

compute::Rows KvRows::Tail(std::int64_t rows) const {
  assert(length_ + rows <= capacity_);
  return buffer_->View(capacity_, 2 * dim_).Slice(length_, rows);
}

void KvRows::Append(compute::Stream& stream, compute::ConstRows key_values) {
  stream.Copy(key_values, Tail(key_values.rows));
  length_ += key_values.rows;
}

void KvRows::Upload(compute::Stream& stream, std::span<const float> keys,
                    std::span<const float> values) {
  assert(keys.size() == values.size());
  const compute::Rows rows = Tail(static_cast<std::int64_t>(keys.size()) / dim_);
  stream.Upload(keys, rows.Columns(0, dim_));
  stream.Upload(values, rows.Columns(dim_, dim_));
  length_ += rows.rows;
}

compute::KeyValues KvRows::View() const {
  if (length_ == 0) return {};
  const compute::Rows rows = buffer_->View(length_, 2 * dim_);
  return {.k = rows.Columns(0, dim_), .v = rows.Columns(dim_, dim_)};
}

KvCache MakeKvCache(std::int64_t layers, std::int64_t dim) {
  KvCache cache;
  cache.reserve(static_cast<std::size_t>(layers));
  for (std::int64_t i = 0; i < layers; ++i) cache.emplace_back(dim);
  return cache;
}

}  // namespace kvasir::model
