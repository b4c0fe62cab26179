// ParseFilter and FilterToJson: see kvasir/filter.h for the form.
#include <optional>
#include <string>
#include <utility>

#include "kvasir/filter.h"
#include "sdk/src/json_text.h"

namespace kvasir {
namespace {

std::string Below(const std::string& path, std::string_view name) {
  return std::string(path).append(".").append(name);
}

using nlohmann::json;
using Op = Filter::Op;

constexpr std::pair<Op, const char*> kLeafOps[] = {
    {Op::kEq, "eq"},
    {Op::kNe, "ne"},
    {Op::kIn, "in"},
    {Op::kNin, "nin"},
    {Op::kGt, "gt"},
    {Op::kGte, "gte"},
    {Op::kLt, "lt"},
    {Op::kLte, "lte"},
    {Op::kContains, "contains"},
    {Op::kExists, "exists"},
    {Op::kIcontains, "icontains"},
};

std::optional<Op> LeafOp(const std::string& name) {
  for (const auto& [op, text] : kLeafOps) {
    if (name == text) return op;
  }
  return std::nullopt;
}

const char* LeafName(Op op) {
  for (const auto& [known, text] : kLeafOps) {
    if (known == op) return text;
  }
  return "eq";
}

// Builds the tree and counts what it builds: depth and size are bounded before anything is kept.
class FilterReader {
 public:
  Result<Filter> ReadObject(const json& object, const std::string& path, int depth) {
    KVASIR_RETURN_IF_ERROR(Count(path, depth));
    if (!object.is_object()) return InvalidArgument(path + ": expected an object");
    Filter all{.op = Op::kAnd, .children = {}, .field = {}, .values = {}};
    for (const auto& [key, value] : object.items()) {
      KVASIR_ASSIGN_OR_RETURN(Filter child, ReadMember(key, value, Below(path, key), depth));
      all.children.push_back(std::move(child));
    }
    if (all.children.size() != 1) return all;
    Filter only = std::move(all.children.front());
    return only;
  }

 private:
  Result<Filter> ReadMember(const std::string& key, const json& value, const std::string& path,
                            int depth) {
    if (key == "AND" || key == "OR") {
      if (!value.is_array()) return InvalidArgument(path + ": expected a list of conditions");
      return ReadList(value, key == "AND" ? Op::kAnd : Op::kOr, path, depth + 1);
    }
    if (key == "NOT") {
      Filter negated{.op = Op::kNot, .children = {}, .field = {}, .values = {}};
      KVASIR_ASSIGN_OR_RETURN(Filter child, value.is_array()
                                                ? ReadList(value, Op::kOr, path, depth + 1)
                                                : ReadObject(value, path, depth + 1));
      negated.children.push_back(std::move(child));
      return negated;
    }
    if (key.empty()) return InvalidArgument(path + ": a field name cannot be empty");
    return ReadField(key, value, path, depth + 1);
  }

  Result<Filter> ReadList(const json& list, Op op, const std::string& path, int depth) {
    KVASIR_RETURN_IF_ERROR(Count(path, depth));
    Filter branch{.op = op, .children = {}, .field = {}, .values = {}};
    for (std::size_t i = 0; i < list.size(); ++i) {
      KVASIR_ASSIGN_OR_RETURN(Filter child,
                              ReadObject(list[i], path + "[" + std::to_string(i) + "]", depth + 1));
      branch.children.push_back(std::move(child));
    }
    return branch;
  }

  Result<Filter> ReadField(const std::string& field, const json& value, const std::string& path,
                           int depth) {
    if (!value.is_object()) {
      if (value.is_array()) {
        return InvalidArgument(path + ": a list needs an operator, for example {\"in\": […]}");
      }
      return ReadLeaf(field, Op::kEq, value, path, depth);
    }
    if (value.empty()) return InvalidArgument(path + ": no operator given");
    Filter all{.op = Op::kAnd, .children = {}, .field = {}, .values = {}};
    for (const auto& [name, operand] : value.items()) {
      const std::optional<Op> op = LeafOp(name);
      const std::string here = Below(path, name);
      if (!op) {
        return InvalidArgument(here +
                               ": unknown operator; there are eq ne in nin gt gte lt lte "
                               "contains icontains exists");
      }
      KVASIR_ASSIGN_OR_RETURN(Filter leaf, ReadLeaf(field, *op, operand, here, depth));
      all.children.push_back(std::move(leaf));
    }
    if (all.children.size() != 1) return all;
    Filter only = std::move(all.children.front());
    return only;
  }

  Result<Filter> ReadLeaf(const std::string& field, Op op, const json& operand,
                          const std::string& path, int depth) {
    KVASIR_RETURN_IF_ERROR(Count(path, depth));
    Filter leaf{.op = op, .children = {}, .field = field, .values = {}};
    if (op == Op::kIn || op == Op::kNin) {
      if (!operand.is_array()) return InvalidArgument(path + ": expected a list");
      for (const json& element : operand) {
        if (element.is_structured()) return InvalidArgument(path + ": expected plain values");
        KVASIR_ASSIGN_OR_RETURN(MetadataValue value, sdk::ToMetadataValue(element, path));
        leaf.values.push_back(std::move(value));
      }
      return leaf;
    }
    if (op == Op::kExists && !operand.is_boolean()) {
      return InvalidArgument(path + ": expected true or false");
    }
    KVASIR_ASSIGN_OR_RETURN(MetadataValue value, sdk::ToMetadataValue(operand, path));
    leaf.values.push_back(std::move(value));
    return leaf;
  }

  Status Count(const std::string& path, int depth) {
    if (depth > kMaxFilterDepth) {
      return InvalidArgument(path + ": nested deeper than " + std::to_string(kMaxFilterDepth));
    }
    if (++nodes_ > kMaxFilterNodes) {
      return InvalidArgument("filter: more than " + std::to_string(kMaxFilterNodes) +
                             " conditions");
    }
    return Status::Ok();
  }

  int nodes_ = 0;
};

json ToJson(const Filter& filter) {
  json children = json::array();
  for (const Filter& child : filter.children) children.push_back(ToJson(child));
  switch (filter.op) {
    case Op::kAnd:
      return {{"AND", std::move(children)}};
    case Op::kOr:
      return {{"OR", std::move(children)}};
    case Op::kNot:
      return {{"NOT", children.empty() ? json::object() : children.front()}};
    case Op::kIn:
    case Op::kNin: {
      json values = json::array();
      for (const MetadataValue& value : filter.values) {
        values.push_back(sdk::FromMetadataValue(value));
      }
      return {{filter.field, {{LeafName(filter.op), std::move(values)}}}};
    }
    default: {
      json value = filter.values.empty() ? json() : sdk::FromMetadataValue(filter.values.front());
      return {{filter.field, {{LeafName(filter.op), std::move(value)}}}};
    }
  }
}

}  // namespace

Result<Filter> ParseFilter(std::string_view text) {
  KVASIR_ASSIGN_OR_RETURN(const json parsed, sdk::ParseJson(text, "filter"));
  return FilterReader().ReadObject(parsed, "filter", 1);
}

std::string FilterToJson(const Filter& filter) { return sdk::Dump(ToJson(filter)); }

Result<Metadata> ParseMetadata(std::string_view text) {
  KVASIR_ASSIGN_OR_RETURN(const json parsed, sdk::ParseJson(text, "metadata"));
  if (!parsed.is_object()) return InvalidArgument("metadata: expected an object");
  Metadata metadata;
  for (const auto& [key, value] : parsed.items()) {
    KVASIR_ASSIGN_OR_RETURN(MetadataValue held, sdk::ToMetadataValue(value, "metadata." + key));
    metadata.emplace(key, std::move(held));
  }
  return metadata;
}

std::string MetadataToJson(const Metadata& metadata) {
  json object = json::object();
  for (const auto& [key, value] : metadata) object[key] = sdk::FromMetadataValue(value);
  return sdk::Dump(object);
}

}  // namespace kvasir
