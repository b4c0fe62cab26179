#include "storage/postings.h"

#include <limits>
#include <numeric>
#include <unordered_map>

#include "storage/analyzer.h"
#include "storage/coding.h"
#include "storage/keys.h"

namespace kvasir::storage {
namespace {

constexpr std::uint8_t kForwardFormat = 1;
constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMaxTerms = 1U << 26;

using Counts = std::unordered_map<std::uint64_t, std::uint32_t>;

// Adds the terms of `text` to `counts`; returns how many there were.
std::uint32_t CountTerms(const HashKey& key, std::string_view text, Counts* counts) {
  std::uint32_t length = 0;
  AnalyzeText(text, TermForms::kDocument, [&](std::string_view term) {
    ++(*counts)[SipHash64(key, term)];
    ++length;
  });
  return length;
}

std::uint32_t Count(ByteReader* in) { return static_cast<std::uint32_t>(in->Bounded(kMaxCount)); }

}  // namespace

std::uint64_t TermTable::TextLength() const {
  return std::accumulate(segment_lengths.begin(), segment_lengths.end(), std::uint64_t{0});
}

TermTable BuildTermTable(const HashKey& key, std::string_view title, std::string_view text,
                         const std::vector<SegmentEntry>& segments) {
  TermTable table;
  Counts in_title;
  table.title_length = CountTerms(key, title, &in_title);
  for (std::uint32_t segment = 0; segment < segments.size(); ++segment) {
    const Span span = segments[segment].span;
    Counts in_text;
    table.segment_lengths.push_back(
        CountTerms(key, text.substr(span.begin, span.end - span.begin), &in_text));
    for (const auto& [term, count] : in_title) {
      table.terms[term].push_back({.segment = segment, .title = count, .text = 0});
    }
    for (const auto& [term, count] : in_text) {
      std::vector<TermCount>& list = table.terms[term];
      if (list.empty() || list.back().segment != segment) list.push_back({.segment = segment});
      list.back().text = count;
    }
  }
  return table;
}

std::string EncodeForward(const TermTable& table, std::string_view checked_key) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kForwardFormat);
  out.Fixed(table.generation);
  out.Varint(table.title_length);
  out.Varint(table.segment_lengths.size());
  for (const std::uint32_t length : table.segment_lengths) out.Varint(length);
  out.Varint(table.terms.size());
  for (const auto& [term, list] : table.terms) {
    out.Fixed(term);
    out.Varint(list.size());
    std::uint32_t last = 0;
    for (const TermCount& count : list) {
      out.Varint(count.segment - last);
      out.Varint(count.title);
      out.Varint(count.text);
      last = count.segment;
    }
  }
  SealRow(&bytes, checked_key);
  return bytes;
}

Result<TermTable> DecodeForward(std::string_view bytes, std::string_view checked_key) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("forward list: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kForwardFormat) return Corruption("forward list: unknown format");
  TermTable table;
  table.generation = in.Fixed<Generation>();
  table.title_length = Count(&in);
  const std::uint64_t segments = in.Bounded(kMaxSegments);
  for (std::uint64_t i = 0; i < segments && in.ok(); ++i) {
    table.segment_lengths.push_back(Count(&in));
  }
  const std::uint64_t terms = in.Bounded(kMaxTerms);
  for (std::uint64_t i = 0; i < terms && in.ok(); ++i) {
    std::vector<TermCount>& list = table.terms[in.Fixed<std::uint64_t>()];
    if (!list.empty()) return Corruption("forward list: a term stands twice");
    const std::uint64_t count = in.Bounded(segments);
    std::uint64_t segment = 0;
    for (std::uint64_t j = 0; j < count && in.ok(); ++j) {
      segment += in.Bounded(kMaxSegments);
      if (segment >= segments) return Corruption("forward list: bad segment");
      const std::uint32_t in_title = Count(&in);
      list.push_back({static_cast<std::uint32_t>(segment), in_title, Count(&in)});
    }
  }
  if (!in.AtEnd()) return Corruption("forward list: bad fields");
  return table;
}

std::string EncodePosting(const PostingValue& value) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Varint(value.generation);
  out.Varint(value.title);
  out.Varint(value.text);
  out.Varint(value.title_length);
  out.Varint(value.segment_length);
  out.Varint(value.document_length);
  return bytes;
}

bool DecodePosting(std::string_view bytes, PostingValue* value) {
  ByteReader in(bytes);
  value->generation = in.Varint();
  value->title = Count(&in);
  value->text = Count(&in);
  value->title_length = Count(&in);
  value->segment_length = Count(&in);
  value->document_length = in.Varint();
  return in.AtEnd();
}

void ForEachPosting(
    SpaceId space, DocumentNumber number, const TermTable& table,
    const std::function<void(const std::string& key, const PostingValue& value)>& visit) {
  const std::uint64_t document_length = table.TextLength();
  for (const auto& [term, list] : table.terms) {
    for (const TermCount& count : list) {
      visit(PostingKey({space, number, count.segment}, term),
            {.generation = table.generation,
             .title = count.title,
             .text = count.text,
             .title_length = table.title_length,
             .segment_length = table.segment_lengths[count.segment],
             .document_length = document_length});
    }
  }
}

}  // namespace kvasir::storage
