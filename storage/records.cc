#include "storage/records.h"

#include <openssl/evp.h>
#include <utf8proc.h>

#include <limits>

#include "storage/coding.h"

namespace kvasir::storage {
namespace {

constexpr std::uint8_t kHeadFormat = 1;
constexpr std::uint8_t kBodyFormat = 1;
constexpr std::size_t kMaxMessages = 1U << 16;
constexpr std::size_t kMaxListItems = 1U << 16;

// Bits of a head's flags byte: which optional times follow.
constexpr std::uint8_t kHasExpires = 1;
constexpr std::uint8_t kHasValidFrom = 2;
constexpr std::uint8_t kHasValidTo = 4;

void PutTime(ByteWriter* out, Timestamp time) {
  out->Fixed(static_cast<std::int64_t>(time.time_since_epoch().count()));
}
Timestamp GetTime(ByteReader* in) {
  return Timestamp(std::chrono::milliseconds(in->Fixed<std::int64_t>()));
}
std::string GetString(ByteReader* in, std::size_t limit) { return std::string(in->Bytes(limit)); }

void PutValue(ByteWriter* out, const MetadataValue& value) {
  out->Fixed(static_cast<std::uint8_t>(value.index()));
  if (const auto* flag = std::get_if<bool>(&value)) out->Fixed(static_cast<std::uint8_t>(*flag));
  if (const auto* number = std::get_if<std::int64_t>(&value)) out->Fixed(*number);
  if (const auto* number = std::get_if<double>(&value)) out->Fixed(*number);
  if (const auto* text = std::get_if<std::string>(&value)) out->Bytes(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    out->Varint(list->size());
    for (const std::string& item : *list) out->Bytes(item);
  }
}

// Nothing for a type tag that no MetadataValue has.
std::optional<MetadataValue> GetValue(ByteReader* in) {
  switch (in->Fixed<std::uint8_t>()) {
    case 0:
      return MetadataValue(nullptr);
    case 1:
      return MetadataValue(in->Fixed<std::uint8_t>() != 0);
    case 2:
      return MetadataValue(in->Fixed<std::int64_t>());
    case 3:
      return MetadataValue(in->Fixed<double>());
    case 4:
      return MetadataValue(GetString(in, kMaxMetadataBytes));
    case 5: {
      std::vector<std::string> list;
      const std::uint64_t count = in->Bounded(kMaxListItems);
      for (std::uint64_t i = 0; i < count && in->ok(); ++i) {
        list.push_back(GetString(in, kMaxMetadataBytes));
      }
      return MetadataValue(std::move(list));
    }
    default:
      return std::nullopt;
  }
}

bool GetMetadata(ByteReader* in, Metadata* metadata) {
  const std::uint64_t count = in->Bounded(kMaxMetadataKeys);
  for (std::uint64_t i = 0; i < count && in->ok(); ++i) {
    std::string key = GetString(in, kMaxMetadataKeyBytes);
    auto value = GetValue(in);
    if (!value) return false;
    metadata->emplace(std::move(key), std::move(*value));
  }
  return in->ok();
}

std::size_t MetadataBytes(const Metadata& metadata) {
  std::string bytes;
  ByteWriter out(&bytes);
  for (const auto& [key, value] : metadata) {
    out.Bytes(key);
    PutValue(&out, value);
  }
  return bytes.size();
}

Status CheckString(std::string_view what, std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return InvalidArgument(std::string(what) + " has " + std::to_string(text.size()) +
                           " bytes; the limit is " + std::to_string(limit));
  }
  if (!IsCleanUtf8(text)) {
    return InvalidArgument(std::string(what) + " is not valid UTF-8 without zero bytes");
  }
  return Status::Ok();
}

Status CheckMetadata(const Metadata& metadata) {
  if (metadata.size() > kMaxMetadataKeys) {
    return InvalidArgument("metadata has " + std::to_string(metadata.size()) +
                           " keys; the limit is " + std::to_string(kMaxMetadataKeys));
  }
  for (const auto& [key, value] : metadata) {
    if (key.empty()) return InvalidArgument("metadata has an empty key");
    KVASIR_RETURN_IF_ERROR(CheckString("metadata key", key, kMaxMetadataKeyBytes));
    if (const auto* text = std::get_if<std::string>(&value)) {
      KVASIR_RETURN_IF_ERROR(CheckString("metadata." + key, *text, kMaxMetadataBytes));
    }
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      for (const std::string& item : *list) {
        KVASIR_RETURN_IF_ERROR(CheckString("metadata." + key, item, kMaxMetadataBytes));
      }
    }
  }
  if (MetadataBytes(metadata) > kMaxMetadataBytes) {
    return InvalidArgument("metadata is over " + std::to_string(kMaxMetadataBytes) + " bytes");
  }
  return Status::Ok();
}

Status CheckMessages(const std::vector<Message>& messages) {
  if (messages.size() > kMaxMessages) return InvalidArgument("more than 65536 messages");
  for (const Message& message : messages) {
    KVASIR_RETURN_IF_ERROR(CheckString("message role", message.role, kMaxIdBytes));
    KVASIR_RETURN_IF_ERROR(CheckString("message name", message.name, kMaxIdBytes));
    KVASIR_RETURN_IF_ERROR(CheckString("message content", message.content, kMaxTextBytes));
  }
  return Status::Ok();
}

bool OnBoundary(std::string_view text, std::uint64_t at) {
  return at >= text.size() || (static_cast<std::uint8_t>(text[at]) & 0xC0) != 0x80;
}

void PutSegments(ByteWriter* out, const std::vector<SegmentEntry>& segments) {
  out->Varint(segments.size());
  std::uint64_t last = 0;
  for (const SegmentEntry& entry : segments) {
    out->Varint(entry.span.begin - last);
    out->Varint(entry.span.end - entry.span.begin);
    out->Varint(entry.tokens);
    last = entry.span.end;
  }
}

std::vector<SegmentEntry> GetSegments(ByteReader* in) {
  std::vector<SegmentEntry> segments;
  std::uint64_t last = 0;
  const std::uint64_t count = in->Bounded(kMaxSegments);
  for (std::uint64_t i = 0; i < count && in->ok(); ++i) {
    SegmentEntry entry;
    entry.span.begin = last + in->Bounded(kMaxTextBytes);
    entry.span.end = last = entry.span.begin + in->Bounded(kMaxTextBytes);
    entry.tokens =
        static_cast<std::uint32_t>(in->Bounded(std::numeric_limits<std::uint32_t>::max()));
    segments.push_back(entry);
  }
  return segments;
}

void PutMessages(ByteWriter* out, const std::vector<Message>& messages) {
  out->Varint(messages.size());
  for (const Message& message : messages) {
    out->Bytes(message.role);
    out->Bytes(message.name);
    out->Bytes(message.content);
    out->Fixed(static_cast<std::uint8_t>(message.time.has_value()));
    if (message.time) PutTime(out, *message.time);
  }
}

std::vector<Message> GetMessages(ByteReader* in) {
  std::vector<Message> messages;
  const std::uint64_t count = in->Bounded(kMaxMessages);
  for (std::uint64_t i = 0; i < count && in->ok(); ++i) {
    Message message;
    message.role = GetString(in, kMaxIdBytes);
    message.name = GetString(in, kMaxIdBytes);
    message.content = GetString(in, kMaxTextBytes);
    if (in->Fixed<std::uint8_t>() != 0) message.time = GetTime(in);
    messages.push_back(std::move(message));
  }
  return messages;
}

void PutOptionalTimes(ByteWriter* out, const MemoryRecord& record) {
  out->Fixed(static_cast<std::uint8_t>((record.expires_at ? kHasExpires : 0) |
                                       (record.valid_from ? kHasValidFrom : 0) |
                                       (record.valid_to ? kHasValidTo : 0)));
  if (record.expires_at) PutTime(out, *record.expires_at);
  if (record.valid_from) PutTime(out, *record.valid_from);
  if (record.valid_to) PutTime(out, *record.valid_to);
}

void GetOptionalTimes(ByteReader* in, MemoryRecord* record) {
  const auto flags = in->Fixed<std::uint8_t>();
  if ((flags & kHasExpires) != 0) record->expires_at = GetTime(in);
  if ((flags & kHasValidFrom) != 0) record->valid_from = GetTime(in);
  if ((flags & kHasValidTo) != 0) record->valid_to = GetTime(in);
}

void GetStrings(ByteReader* in, MemoryRecord* record) {
  record->id = GetString(in, kMaxIdBytes);
  record->session = GetString(in, kMaxIdBytes);
  record->user_id = GetString(in, kMaxIdBytes);
  record->agent_id = GetString(in, kMaxIdBytes);
  record->title = GetString(in, kMaxTitleBytes);
  record->provenance.channel = GetString(in, kMaxIdBytes);
  record->provenance.source = GetString(in, kMaxTitleBytes);
  record->content_hash = GetString(in, 64);
}

}  // namespace

std::string ContentHash(std::string_view title, std::string_view text) {
  std::string content;
  content.reserve(title.size() + 1 + text.size());
  content.append(title).push_back('\0');
  content.append(text);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(content.data(), content.size(), digest, &size, EVP_sha256(), nullptr);
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex.push_back(kHex[digest[i] >> 4]);
    hex.push_back(kHex[digest[i] & 15]);
  }
  return hex;
}

bool IsCleanUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code_point);
    if (size <= 0 || code_point == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

Status ValidateRecord(const MemoryRecord& record) {
  if (record.text.empty()) return InvalidArgument("text is empty");
  KVASIR_RETURN_IF_ERROR(CheckString("text", record.text, kMaxTextBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("id", record.id, kMaxIdBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("session", record.session, kMaxIdBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("user_id", record.user_id, kMaxIdBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("agent_id", record.agent_id, kMaxIdBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("title", record.title, kMaxTitleBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("channel", record.provenance.channel, kMaxIdBytes));
  KVASIR_RETURN_IF_ERROR(CheckString("source", record.provenance.source, kMaxTitleBytes));
  KVASIR_RETURN_IF_ERROR(CheckMessages(record.messages));
  if (record.valid_from && record.valid_to && *record.valid_to <= *record.valid_from) {
    return InvalidArgument("valid_to is not after valid_from");
  }
  return CheckMetadata(record.metadata);
}

Status ValidateSegments(std::string_view text, const std::vector<SegmentEntry>& segments) {
  if (segments.empty()) return InvalidArgument("a document needs at least one segment");
  if (segments.size() > kMaxSegments) return InvalidArgument("more than 1048576 segments");
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Span span = segments[i].span;
    if (span.begin < last || span.end < span.begin || span.end > text.size() ||
        !OnBoundary(text, span.begin) || !OnBoundary(text, span.end)) {
      return InvalidArgument("segment " + std::to_string(i) + ": span [" +
                             std::to_string(span.begin) + ", " + std::to_string(span.end) +
                             ") is out of order, outside the text or cuts a code point");
    }
    last = span.end;
  }
  return Status::Ok();
}

std::string EncodeHead(const Document& document, std::string_view checked_key) {
  const MemoryRecord& record = document.record;
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kHeadFormat);
  out.Fixed(document.generation);
  out.Fixed(record.version);
  out.Fixed(record.segments);
  out.Fixed(record.tokens);
  out.Fixed(static_cast<std::uint8_t>(record.provenance.trust));
  PutTime(&out, record.created_at);
  PutTime(&out, record.updated_at);
  PutOptionalTimes(&out, record);
  for (const std::string* text :
       {&record.id, &record.session, &record.user_id, &record.agent_id, &record.title,
        &record.provenance.channel, &record.provenance.source, &record.content_hash}) {
    out.Bytes(*text);
  }
  out.Varint(record.metadata.size());
  for (const auto& [key, value] : record.metadata) {
    out.Bytes(key);
    PutValue(&out, value);
  }
  SealRow(&bytes, checked_key);
  return bytes;
}

Result<Document> DecodeHead(std::string_view bytes, std::string_view checked_key) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("head: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kHeadFormat) return Corruption("head: unknown format version");
  Document document;
  MemoryRecord& record = document.record;
  document.generation = in.Fixed<Generation>();
  record.version = in.Fixed<std::uint32_t>();
  record.segments = in.Fixed<std::uint32_t>();
  record.tokens = in.Fixed<std::uint64_t>();
  const auto trust = in.Fixed<std::uint8_t>();
  if (trust > static_cast<std::uint8_t>(Trust::kOperator)) return Corruption("head: bad trust");
  record.provenance.trust = static_cast<Trust>(trust);
  record.created_at = GetTime(&in);
  record.updated_at = GetTime(&in);
  GetOptionalTimes(&in, &record);
  GetStrings(&in, &record);
  if (!GetMetadata(&in, &record.metadata) || !in.AtEnd()) return Corruption("head: bad fields");
  return document;
}

std::string EncodeBody(const Document& document, std::string_view checked_key) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Fixed(kBodyFormat);
  out.Fixed(document.generation);
  PutSegments(&out, document.segments);
  PutMessages(&out, document.record.messages);
  out.Bytes(document.record.text);
  SealRow(&bytes, checked_key);
  return bytes;
}

Status DecodeBody(std::string_view bytes, std::string_view checked_key, Document* document) {
  std::string_view payload;
  if (!OpenRow(bytes, checked_key, &payload)) return Corruption("body: bad checksum");
  ByteReader in(payload);
  if (in.Fixed<std::uint8_t>() != kBodyFormat) return Corruption("body: unknown format version");
  if (in.Fixed<Generation>() != document->generation) {
    return Corruption("body: of another generation than its head");
  }
  document->segments = GetSegments(&in);
  document->record.messages = GetMessages(&in);
  document->record.text = GetString(&in, kMaxTextBytes);
  if (!in.AtEnd()) return Corruption("body: bad fields");
  if (Status spans = ValidateSegments(document->record.text, document->segments); !spans.ok()) {
    return Corruption("body: " + spans.message());
  }
  return Status::Ok();
}

}  // namespace kvasir::storage
