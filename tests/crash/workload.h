// The documents that the crash test writes: everything of one follows from its name and version.
#ifndef TESTS_CRASH_WORKLOAD_H_
#define TESTS_CRASH_WORKLOAD_H_

#include <cstring>
#include <string>

#include "storage/store.h"

namespace kvasir::storage {

inline constexpr ModelFingerprint kCrashModel = {0xC, 0xA};

inline StoreOptions CrashOptions() {
  StoreOptions options;
  options.low_water_bytes = 0;
  options.model = ModelIdentity{.fingerprint = kCrashModel, .name = "crash"};
  return options;
}

inline std::string CrashWord(int name, int version) {
  std::string word = "qz";
  word.append(std::to_string(name)).append("v").append(std::to_string(version)).append("zq");
  return word;
}

inline std::string CrashText(int name, int version) {
  std::string text = CrashWord(name, version);
  text.append("\n");
  for (int i = 0; i < name % 40; ++i) text.append("filler words of a line ");
  return text;
}

inline std::string CrashRecord(SegmentKind kind, int name) {
  const SegmentShape shape{.quantiser = Quantiser::kBf16,
                           .layers = {1},
                           .chunks = 2,
                           .tokens = 80,
                           .vector_length = 256,
                           .scales_per_vector = 0};
  auto builder = SegmentBuilder::Create(kind, kCrashModel, shape);
  const auto codes = builder->Codes(0, SegmentPart::kKeys);
  std::memset(codes.data(), name & 0x7F, codes.size());
  return std::move(*builder).Finish();
}

inline DocumentWrite CrashWrite(int name, int version) {
  DocumentWrite write;
  write.mode = version == 1 ? WriteMode::kCreate : WriteMode::kNewVersion;
  write.record.space = "default";
  write.record.id = std::to_string(name);
  write.record.text = CrashText(name, version);
  const std::uint64_t line = CrashWord(name, version).size() + 1;
  for (const Span span : {Span{0, line}, Span{line, write.record.text.size()}}) {
    write.segments.push_back({.entry = {.span = span, .tokens = 80},
                              .router = CrashRecord(SegmentKind::kRouter, name),
                              .kv = CrashRecord(SegmentKind::kKv, name)});
  }
  return write;
}

}  // namespace kvasir::storage

#endif  // TESTS_CRASH_WORKLOAD_H_
