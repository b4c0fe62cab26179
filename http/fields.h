// Reads the fields of a JSON object or of a query, and refuses those that nobody asked for.
#ifndef HTTP_FIELDS_H_
#define HTTP_FIELDS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/json.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::http {

/// Every getter leaves its target as it is when the field is absent or null. The first mistake is
/// kept and told by Finish(), which also names fields that were never asked for: a misspelt
/// "sesion" must not widen a search. The object outlives this.
class Fields {
 public:
  explicit Fields(const Json& object);
  /// Values are texts: "10" is a number, "true" a switch, and JSON is parsed from its text.
  explicit Fields(const std::vector<std::pair<std::string, std::string>>& query);

  bool Has(std::string_view name);
  void Get(std::string_view name, std::string& target);
  void Get(std::string_view name, std::optional<std::string>& target);
  void Get(std::string_view name, bool& target);
  void Get(std::string_view name, double& target, double least, double most);
  void Get(std::string_view name, std::optional<Timestamp>& target);
  void Get(std::string_view name, std::optional<Filter>& target);
  void Get(std::string_view name, Metadata& target);
  void Get(std::string_view name, std::optional<Metadata>& target);
  void Get(std::string_view name, std::vector<std::string>& target);
  void Get(std::string_view name, std::vector<Message>& target);

  template <typename Integer>
  void GetCount(std::string_view name, Integer& target, std::uint64_t least, std::uint64_t most) {
    if (const auto value = Count(name, least, most)) target = static_cast<Integer>(*value);
  }

  /// Known, but of no effect here.
  void Ignore(std::string_view name) { known_.emplace(name); }
  void Fail(std::string message);
  Status Finish();

 private:
  const Json* Find(std::string_view name);
  std::optional<std::uint64_t> Count(std::string_view name, std::uint64_t least,
                                     std::uint64_t most);
  std::optional<Json> Structure(std::string_view name);

  Json from_query_;
  const Json* object_;
  const bool texts_;
  std::set<std::string, std::less<>> known_;
  Status status_;
};

}  // namespace kvasir::http

#endif  // HTTP_FIELDS_H_
