#include "storage/timestamp.h"

#include <cstdio>

namespace kvasir::storage {
namespace {

using std::chrono::milliseconds;

// Reads fixed-width fields off the front; ok() turns false at the first that is not there.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  int Digits(std::size_t count) {
    if (rest_.size() < count) return Fail();
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return Fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool Take(char lower, char upper) {
    if (rest_.empty() || (rest_.front() != lower && rest_.front() != upper)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void Expect(char lower, char upper) {
    if (!Take(lower, upper)) Fail();
  }
  // ".123456" to 123; digits after the third are cut.
  int Milliseconds() {
    int value = 0;
    int weight = 100;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value += (rest_.front() - '0') * weight;
      weight /= 10;
      any = true;
      rest_.remove_prefix(1);
    }
    return any ? value : Fail();
  }
  bool ok() const { return ok_; }
  bool AtEnd() const { return rest_.empty(); }

 private:
  int Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::chrono::sys_days> ReadDate(FieldReader* in) {
  const int year = in->Digits(4);
  in->Expect('-', '-');
  const int month = in->Digits(2);
  in->Expect('-', '-');
  const int day = in->Digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!in->ok() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<milliseconds> ReadTimeOfDay(FieldReader* in) {
  const int hour = in->Digits(2);
  in->Expect(':', ':');
  const int minute = in->Digits(2);
  in->Expect(':', ':');
  const int second = in->Digits(2);
  const int fraction = in->Take('.', '.') ? in->Milliseconds() : 0;
  if (!in->ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         milliseconds(fraction);
}

std::optional<std::chrono::minutes> ReadOffset(FieldReader* in) {
  if (in->Take('z', 'Z')) return std::chrono::minutes(0);
  const bool east = in->Take('+', '+');
  if (!east) in->Expect('-', '-');
  const int hours = in->Digits(2);
  in->Expect(':', ':');
  const int minutes = in->Digits(2);
  if (!in->ok() || hours > 23 || minutes > 59) return std::nullopt;
  const int offset = hours * 60 + minutes;
  return std::chrono::minutes(east ? offset : -offset);
}

}  // namespace

std::optional<Timestamp> ParseRfc3339(std::string_view text) {
  FieldReader in(text);
  const auto date = ReadDate(&in);
  if (!date) return std::nullopt;
  if (in.AtEnd()) return Timestamp(*date);
  if (!in.Take('t', 'T') && !in.Take(' ', ' ')) return std::nullopt;
  const auto time = ReadTimeOfDay(&in);
  if (!time) return std::nullopt;
  const auto offset = ReadOffset(&in);
  if (!offset || !in.AtEnd()) return std::nullopt;
  return Timestamp(*date) + *time - *offset;
}

std::string FormatRfc3339(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  char text[64];
  const int size = std::snprintf(
      text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  std::string out(text, static_cast<std::size_t>(size));
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    std::snprintf(text, sizeof(text), ".%03d", static_cast<int>(fraction));
    out += text;
  }
  return out + "Z";
}

}  // namespace kvasir::storage
