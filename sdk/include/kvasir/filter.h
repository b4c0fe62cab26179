// Filters from and to their JSON form, as REST, MCP and the command line speak it.
#ifndef KVASIR_FILTER_H_
#define KVASIR_FILTER_H_

#include <string>
#include <string_view>

#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir {

/// {"topic":"home"} = equality; {"age":{"gte":3}}; {"AND":[…]}, {"OR":[…]}, {"NOT":{…}} (a list:
/// none of them). Several keys in one object are joined by AND. Errors (kInvalidArgument) name the
/// offending path.
Result<Filter> ParseFilter(std::string_view json);
std::string FilterToJson(const Filter& filter);

/// A flat JSON object to metadata and back. Nested objects are refused with their path.
Result<Metadata> ParseMetadata(std::string_view json);
std::string MetadataToJson(const Metadata& metadata);

/// RFC 3339, UTC or with offset: "2026-05-01T12:00:00Z", fractions to milliseconds; a bare date is
/// midnight UTC.
Result<Timestamp> ParseTimestamp(std::string_view text);
std::string FormatTimestamp(Timestamp time);

}  // namespace kvasir

#endif  // KVASIR_FILTER_H_
