#include "http/json.h"

#include <utility>
#include <vector>

namespace kvasir::http {
namespace {

/// Builds the tree while it counts; the library's own builder has no bounds.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Add(nullptr) != nullptr; }
  bool boolean(bool value) override { return Add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return Add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return Add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& digits) override {
    // An integer too long for 64 bits arrives here, already rounded.
    if (digits.find_first_of(".eE") == string_t::npos) return Fail("an integer over 64 bits");
    return Add(value) != nullptr;
  }
  bool string(string_t& value) override { return Add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return Fail("binary data"); }
  bool start_object(std::size_t) override { return Open(Json::object()); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return Fail("the key \"" + name + "\" twice in one object");
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail("a mistake at byte " + std::to_string(position));
  }

  Json TakeRoot() { return std::move(root_); }
  const std::string& failure() const { return failure_; }

 private:
  bool Fail(std::string what) {
    failure_ = std::move(what);
    return false;
  }

  Json* Add(Json value) {
    if (++values_ > kMaxJsonValues) {
      Fail("more than " + std::to_string(kMaxJsonValues) + " values");
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& slot = parent[key_];
    slot = std::move(value);
    return &slot;
  }

  bool Open(Json container) {
    if (open_.size() >= static_cast<std::size_t>(kMaxJsonDepth)) {
      return Fail("more than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    Json* added = Add(std::move(container));
    if (added == nullptr) return false;
    open_.push_back(added);
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::string failure_;
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return InvalidArgument("the JSON has " + builder.failure());
  }
  return builder.TakeRoot();
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kvasir::http
