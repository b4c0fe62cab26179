#include "tests/fuzz/readers/checks.h"

#include <algorithm>
#include <string>
#include <variant>

#include "http/head.h"
#include "http/json.h"
#include "kvasir/filter.h"
#include "sdk/cli/memory_row.h"
#include "storage/filter.h"
#include "tests/fuzz/require.h"

namespace kvasir::testing {
namespace {

bool IsPlain(std::string_view text, bool tab_too) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || (tab_too && byte == '\t');
  });
}

void CheckDecoded(const std::string& text) {
  Require(IsPlain(text, false) && http::IsUtf8(text), "what was escaped is UTF-8 of one line");
}

void CheckAccepted(const http::RequestHead& head) {
  Require(!head.method.empty() && head.minor_version >= 0 && head.minor_version <= 1,
          "a request line has a method and HTTP/1.0 or 1.1");
  Require(!head.path.empty(), "a target has a path");
  for (const std::string& segment : head.path) CheckDecoded(segment);
  for (const auto& [name, value] : head.query) {
    CheckDecoded(name);
    CheckDecoded(value);
  }
  Require(head.headers.size() <= http::kMaxHeaderFields, "fields are bounded");
  Require(head.content_length <= http::kMaxBulkBodyBytes, "bodies are bounded");
  Require(!head.Header("transfer-encoding"), "one way of framing");
  for (const http::HeaderField& field : head.headers) {
    Require(!field.name.empty() && std::none_of(field.name.begin(), field.name.end(),
                                                [](char c) { return c >= 'A' && c <= 'Z'; }),
            "names are lower case");
    Require(IsPlain(field.value, true), "values have no control byte");
  }
  for (const std::string_view single : {"host", "content-length", "authorization"}) {
    Require(std::count_if(head.headers.begin(), head.headers.end(),
                          [&](const auto& field) { return field.name == single; }) <= 1,
            "what may stand once stands once");
  }
}

MemoryRecord SomeRecord() {
  MemoryRecord record;
  record.id = "m1";
  record.title = "Stra\u00dfe";
  record.session = "s";
  record.metadata = {{"a", std::int64_t{3}},
                     {"b", 2.5},
                     {"c", std::string("text")},
                     {"d", true},
                     {"e", std::vector<std::string>{"x", "y"}},
                     {"f", nullptr}};
  record.created_at = Timestamp(std::chrono::milliseconds(1'700'000'000'000));
  return record;
}

void CheckCompiled(const Filter& filter) {
  static const MemoryRecord record = SomeRecord();
  const auto compiled = storage::CompiledFilter::Compile(filter);
  Filter negated;
  negated.op = Filter::Op::kNot;
  negated.children = {filter};
  const auto opposite = storage::CompiledFilter::Compile(negated);
  if (!compiled.ok()) {
    Require(!compiled.status().message().empty() && !opposite.ok(), "a bad filter stays bad");
    return;
  }
  const bool matches = compiled->Matches(record);
  // One level more may be one too many.
  if (opposite.ok()) Require(opposite->Matches(record) != matches, "NOT turns the answer round");
}

}  // namespace

void CheckHead(std::span<const std::byte> bytes) {
  const auto parsed = http::ParseHead(AsText(bytes));
  if (const auto* problem = std::get_if<http::Problem>(&parsed)) {
    Require((problem->status >= 400 && problem->status < 500) || problem->status == 505,
            "it is the client's mistake");
    Require(!problem->code.empty() && !problem->detail.empty(), "a refusal has its reason");
    return;
  }
  CheckAccepted(std::get<http::RequestHead>(parsed));
}

void CheckBody(std::span<const std::byte> bytes) {
  const auto parsed = http::ParseJson(AsText(bytes));
  if (!parsed.ok()) {
    Require(!parsed.status().message().empty(), "a refusal has its reason");
    return;
  }
  const std::string written = http::DumpJson(*parsed);
  const auto again = http::ParseJson(written);
  Require(again.ok(), "what was written can be read");
  Require(http::DumpJson(*again) == written, "what was read is written the same");
}

void CheckFilter(std::span<const std::byte> bytes) {
  const auto filter = ParseFilter(AsText(bytes));
  if (filter.ok()) {
    const std::string written = FilterToJson(*filter);
    const auto again = ParseFilter(written);
    Require(again.ok(), "a filter that was written can be read");
    Require(FilterToJson(*again) == written, "a filter that was read is written the same");
    CheckCompiled(*filter);
  }
  const auto metadata = ParseMetadata(AsText(bytes));
  if (!metadata.ok()) return;
  const auto again = ParseMetadata(MetadataToJson(*metadata));
  Require(again.ok() && *again == *metadata, "metadata is written and read back");
}

void CheckRow(std::span<const std::byte> bytes) {
  const std::string_view line = AsText(bytes);
  const auto row = cli::ParseMemoryRow(line, {});
  if (row.ok()) Require(row->request.provenance.trust != Trust::kOperator, "no row raises trust");
  static_cast<void>(cli::LooksLikeMemoryRow(line));
  const auto time = ParseTimestamp(line);
  if (!time.ok()) return;
  const auto again = ParseTimestamp(FormatTimestamp(*time));
  Require(again.ok() && *again == *time, "a time is written and read back");
}

}  // namespace kvasir::testing
