#include "storage/filter.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>

#include "storage/timestamp.h"

namespace kvasir::storage {
namespace {

using Op = Filter::Op;

struct Builtin {
  std::string_view name;
  const std::string* (*text)(const MemoryRecord&);
  std::optional<Timestamp> (*time)(const MemoryRecord&);
};

constexpr std::array<Builtin, 11> kBuiltins{{
    {"id", [](const MemoryRecord& r) { return &r.id; }, nullptr},
    {"title", [](const MemoryRecord& r) { return &r.title; }, nullptr},
    {"session", [](const MemoryRecord& r) { return &r.session; }, nullptr},
    {"user_id", [](const MemoryRecord& r) { return &r.user_id; }, nullptr},
    {"agent_id", [](const MemoryRecord& r) { return &r.agent_id; }, nullptr},
    {"channel", [](const MemoryRecord& r) { return &r.provenance.channel; }, nullptr},
    {"source", [](const MemoryRecord& r) { return &r.provenance.source; }, nullptr},
    {"created_at", nullptr, [](const MemoryRecord& r) { return std::optional(r.created_at); }},
    {"updated_at", nullptr, [](const MemoryRecord& r) { return std::optional(r.updated_at); }},
    {"valid_from", nullptr, [](const MemoryRecord& r) { return r.valid_from; }},
    {"valid_to", nullptr, [](const MemoryRecord& r) { return r.valid_to; }},
}};

const Builtin* FindBuiltin(std::string_view name) {
  const auto* found = std::find_if(kBuiltins.begin(), kBuiltins.end(),
                                   [&](const Builtin& field) { return field.name == name; });
  return found == kBuiltins.end() ? nullptr : found;
}

// Exact, where casting the integer to double would round: 2^53 + 1 is not 2^53.
std::partial_ordering CompareNumbers(std::int64_t left, double right) {
  if (std::isnan(right)) return std::partial_ordering::unordered;
  if (right >= 0x1p63) return std::partial_ordering::less;
  if (right < -0x1p63) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(right);
  if (left != whole) return left <=> whole;
  return 0.0 <=> (right - std::trunc(right));
}

std::partial_ordering Reversed(std::partial_ordering order) {
  if (std::is_lt(order)) return std::partial_ordering::greater;
  return std::is_gt(order) ? std::partial_ordering::less : order;
}

std::partial_ordering Compare(const MetadataValue& left, const MetadataValue& right) {
  const auto* left_integer = std::get_if<std::int64_t>(&left);
  const auto* right_integer = std::get_if<std::int64_t>(&right);
  const auto* left_double = std::get_if<double>(&left);
  const auto* right_double = std::get_if<double>(&right);
  if (left_integer && right_integer) return *left_integer <=> *right_integer;
  if (left_double && right_double) return *left_double <=> *right_double;
  if (left_integer && right_double) return CompareNumbers(*left_integer, *right_double);
  if (left_double && right_integer) return Reversed(CompareNumbers(*right_integer, *left_double));
  const auto* left_text = std::get_if<std::string>(&left);
  const auto* right_text = std::get_if<std::string>(&right);
  if (left_text && right_text) return *left_text <=> *right_text;
  return std::partial_ordering::unordered;
}

bool Equal(const MetadataValue& left, const MetadataValue& right) {
  if (left.index() == right.index() && !std::holds_alternative<double>(left)) return left == right;
  return std::is_eq(Compare(left, right));
}

bool Contains(const MetadataValue& field, const std::string& needle, bool fold) {
  const auto matches = [&](const std::string& text, bool whole) {
    const std::string folded = fold ? FoldCase(text) : text;
    return whole ? folded == needle : folded.find(needle) != std::string::npos;
  };
  if (const auto* text = std::get_if<std::string>(&field)) return matches(*text, false);
  const auto* list = std::get_if<std::vector<std::string>>(&field);
  return list != nullptr && std::any_of(list->begin(), list->end(), [&](const std::string& item) {
           return matches(item, true);
         });
}

bool InAny(const MetadataValue& field, const std::vector<MetadataValue>& values) {
  return std::any_of(values.begin(), values.end(),
                     [&](const MetadataValue& value) { return Equal(field, value); });
}

bool Ordered(Op op, std::partial_ordering order) {
  switch (op) {
    case Op::kGt:
      return std::is_gt(order);
    case Op::kGte:
      return std::is_gteq(order);
    case Op::kLt:
      return std::is_lt(order);
    default:
      return std::is_lteq(order);
  }
}

Status BadNode(const Filter& filter, const std::string& what) {
  return InvalidArgument("filter" + (filter.field.empty() ? "" : " on \"" + filter.field + "\"") +
                         ": " + what);
}

Status CheckLeaf(const Filter& filter) {
  if (filter.field.empty()) return BadNode(filter, "a comparison needs a field");
  if (!filter.children.empty()) return BadNode(filter, "a comparison has no children");
  if (filter.op == Op::kIn || filter.op == Op::kNin) return Status::Ok();
  if (filter.values.size() != 1) return BadNode(filter, "exactly one value is needed");
  if (filter.op == Op::kExists && !std::holds_alternative<bool>(filter.values[0])) {
    return BadNode(filter, "exists takes true or false");
  }
  if (filter.op == Op::kContains || filter.op == Op::kIcontains) {
    const Builtin* builtin = FindBuiltin(filter.field);
    if (!std::holds_alternative<std::string>(filter.values[0])) {
      return BadNode(filter, "contains takes a string");
    }
    if (builtin != nullptr && builtin->time != nullptr) {
      return BadNode(filter, "a time contains nothing; compare it with gte and lt");
    }
  }
  return Status::Ok();
}

}  // namespace

// Time fields are compared as milliseconds: their values are parsed here, once.
struct CompiledFilter::Node {
  Op op = Op::kAnd;
  std::vector<std::shared_ptr<const Node>> children;
  const Builtin* builtin = nullptr;
  std::string field;
  std::vector<MetadataValue> values;
};

std::string FoldCase(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code_point);
    if (size <= 0) break;  // Stored text is valid UTF-8; a filter's value may not be.
    at += size;
    left -= size;
    // utf8proc folds fully; where that gives more than one code point, simple folding is the lower
    // case, but for U+0130, which has no simple folding.
    constexpr utf8proc_int32_t kCapitalDottedI = 0x130;
    utf8proc_int32_t full[8];
    int boundary = 0;
    const auto count = utf8proc_decompose_char(code_point, full, 8, UTF8PROC_CASEFOLD, &boundary);
    utf8proc_int32_t simple = code_point;
    if (count == 1) {
      simple = full[0];
    } else if (code_point != kCapitalDottedI) {
      simple = utf8proc_tolower(code_point);
    }
    utf8proc_uint8_t encoded[4];
    folded.append(reinterpret_cast<const char*>(encoded),
                  static_cast<std::size_t>(utf8proc_encode_char(simple, encoded)));
  }
  return folded;
}

Result<CompiledFilter> CompiledFilter::Compile(const Filter& filter) {
  int nodes = 0;
  KVASIR_ASSIGN_OR_RETURN(auto root, CompileNode(filter, 1, &nodes));
  return CompiledFilter(std::move(root));
}

Result<std::shared_ptr<const CompiledFilter::Node>> CompiledFilter::CompileNode(
    const Filter& filter, int depth, int* nodes) {
  if (depth > kMaxFilterDepth) {
    return BadNode(filter, "deeper than " + std::to_string(kMaxFilterDepth));
  }
  if (++*nodes > kMaxFilterNodes) {
    return BadNode(filter, "more than " + std::to_string(kMaxFilterNodes) + " nodes");
  }
  auto node = std::make_shared<Node>();
  node->op = filter.op;
  if (filter.op == Op::kAnd || filter.op == Op::kOr || filter.op == Op::kNot) {
    if (filter.op == Op::kNot && filter.children.size() != 1) {
      return BadNode(filter, "NOT has exactly one child");
    }
    for (const Filter& child : filter.children) {
      KVASIR_ASSIGN_OR_RETURN(auto compiled, CompileNode(child, depth + 1, nodes));
      node->children.push_back(std::move(compiled));
    }
    return std::shared_ptr<const Node>(std::move(node));
  }
  KVASIR_RETURN_IF_ERROR(CheckLeaf(filter));
  node->builtin = FindBuiltin(filter.field);
  node->field = filter.field;
  node->values = filter.values;
  const bool is_time = node->builtin != nullptr && node->builtin->time != nullptr;
  for (MetadataValue& value : node->values) {
    auto* text = std::get_if<std::string>(&value);
    if (filter.op == Op::kIcontains) *text = FoldCase(*text);
    if (!is_time || filter.op == Op::kExists) continue;
    const auto time = text == nullptr ? std::nullopt : ParseRfc3339(*text);
    if (!time) return BadNode(filter, "needs a time like \"2026-05-01T12:00:00Z\"");
    value = static_cast<std::int64_t>(time->time_since_epoch().count());
  }
  return std::shared_ptr<const Node>(std::move(node));
}

bool CompiledFilter::Matches(const MemoryRecord& record) const {
  return NodeMatches(*root_, record);
}

namespace {

bool LeafMatches(Op op, const MetadataValue* field, const std::vector<MetadataValue>& values) {
  if (op == Op::kExists) return (field != nullptr) == std::get<bool>(values[0]);
  if (field == nullptr) return op == Op::kNe || op == Op::kNin;
  switch (op) {
    case Op::kEq:
      return Equal(*field, values[0]);
    case Op::kNe:
      return !Equal(*field, values[0]);
    case Op::kIn:
      return InAny(*field, values);
    case Op::kNin:
      return !InAny(*field, values);
    case Op::kContains:
    case Op::kIcontains:
      return Contains(*field, std::get<std::string>(values[0]), op == Op::kIcontains);
    default:
      return Ordered(op, Compare(*field, values[0]));
  }
}

}  // namespace

bool CompiledFilter::NodeMatches(const Node& node, const MemoryRecord& record) {
  const auto matches = [&](const auto& child) { return NodeMatches(*child, record); };
  switch (node.op) {
    case Op::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case Op::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case Op::kNot:
      return !matches(node.children[0]);
    default:
      break;
  }
  if (node.builtin == nullptr) {
    const auto found = record.metadata.find(node.field);
    return LeafMatches(node.op, found == record.metadata.end() ? nullptr : &found->second,
                       node.values);
  }
  if (node.builtin->time != nullptr) {
    const auto time = node.builtin->time(record);
    const MetadataValue value =
        time ? static_cast<std::int64_t>(time->time_since_epoch().count()) : std::int64_t{0};
    return LeafMatches(node.op, time ? &value : nullptr, node.values);
  }
  const std::string* text = node.builtin->text(record);
  const MetadataValue value = *text;
  return LeafMatches(node.op, text->empty() ? nullptr : &value, node.values);
}

}  // namespace kvasir::storage
