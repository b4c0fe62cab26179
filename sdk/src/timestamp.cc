// ParseTimestamp and FormatTimestamp: RFC 3339 to and from milliseconds in UTC.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "kvasir/filter.h"

namespace kvasir {
namespace {

using namespace std::chrono_literals;

// Takes fixed-width fields off the front of a text.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  std::optional<int> Digits(std::size_t width) {
    if (rest_.size() < width) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, width)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  /// The character taken, or 0 when none of `any` comes next.
  char Take(std::string_view any) {
    if (rest_.empty() || any.find(rest_.front()) == std::string_view::npos) return 0;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  /// Digits after the point: the first three count, at most nine may be there.
  std::optional<std::chrono::milliseconds> Fraction() {
    const std::size_t width = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (width == 0 || width > 9) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < 3; ++i) value = value * 10 + (i < width ? rest_[i] - '0' : 0);
    rest_.remove_prefix(width);
    return std::chrono::milliseconds(value);
  }
  bool Done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> ReadDate(FieldReader* reader) {
  const auto year = reader->Digits(4);
  if (!year || !reader->Take("-")) return std::nullopt;
  const auto month = reader->Digits(2);
  if (!month || !reader->Take("-")) return std::nullopt;
  const auto day = reader->Digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::milliseconds> ReadTimeOfDay(FieldReader* reader) {
  const auto hour = reader->Digits(2);
  if (!hour || *hour > 23 || !reader->Take(":")) return std::nullopt;
  const auto minute = reader->Digits(2);
  if (!minute || *minute > 59 || !reader->Take(":")) return std::nullopt;
  const auto second = reader->Digits(2);
  if (!second || *second > 59) return std::nullopt;
  std::chrono::milliseconds time = *hour * 1h + *minute * 1min + *second * 1s;
  if (!reader->Take(".")) return time;
  const auto fraction = reader->Fraction();
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

std::optional<std::chrono::minutes> ReadOffset(FieldReader* reader) {
  if (reader->Take("Zz")) return 0min;
  const char sign = reader->Take("+-");
  if (sign == 0) return std::nullopt;
  const auto hours = reader->Digits(2);
  if (!hours || *hours > 23 || !reader->Take(":")) return std::nullopt;
  const auto minutes = reader->Digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset = *hours * 1h + *minutes * 1min;
  return sign == '-' ? -offset : offset;
}

std::optional<Timestamp> Read(std::string_view text) {
  FieldReader reader(text);
  const auto date = ReadDate(&reader);
  if (!date) return std::nullopt;
  if (reader.Done()) return Timestamp(*date);
  if (!reader.Take("Tt ")) return std::nullopt;
  const auto time = ReadTimeOfDay(&reader);
  if (!time) return std::nullopt;
  const auto offset = ReadOffset(&reader);
  if (!offset || !reader.Done()) return std::nullopt;
  return Timestamp(*date) + *time - *offset;
}

}  // namespace

Result<Timestamp> ParseTimestamp(std::string_view text) {
  if (const auto time = Read(text)) return *time;
  return InvalidArgument("not a time: \"" + std::string(text.substr(0, 40)) +
                         "\"; write it as 2026-05-01T12:00:00Z, with an offset, or as a date");
}

std::string FormatTimestamp(Timestamp time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  std::array<char, 64> text{};
  const auto millis = static_cast<int>(clock.subseconds().count());
  int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  std::string formatted(text.data(), static_cast<std::size_t>(length));
  if (millis != 0) {
    length = std::snprintf(text.data(), text.size(), ".%03d", millis);
    formatted.append(text.data(), static_cast<std::size_t>(length));
  }
  return formatted + "Z";
}

}  // namespace kvasir
