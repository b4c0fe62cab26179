#include "sdk/cli/output.h"

#include <array>

#include "sdk/cli/format.h"

namespace kvasir::cli {

Output::Output(const Host& host, OutputFormat format, bool quiet)
    : out_(host.out),
      err_(host.err),
      format_(format),
      quiet_(quiet),
      colour_(host.out_is_terminal && host.environment("NO_COLOR").value_or("").empty()),
      err_is_terminal_(host.err_is_terminal) {}

void Output::Line(std::string_view text) {
  *out_ << text << '\n';
  if (json_lines()) out_->flush();  // A reader of a stream waits for each line.
}

void Output::Piece(std::string_view text) { (*out_ << text).flush(); }

void Output::Note(std::string_view text) {
  if (!quiet_) *err_ << text << '\n';
}

void Output::Warn(std::string_view text) { *err_ << "kvasir: " << text << '\n'; }

std::string Output::Paint(std::string_view code, std::string_view text) const {
  return colour_ ? Format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

std::string Printable(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F;
    // U+0080 to U+009F are C1 controls: C2 followed by 80 to 9F.
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (control || c1) {
      safe += kReplacement;
      i += c1 ? 1 : 0;
    } else {
      safe += text[i];
    }
  }
  return safe;
}

std::string Excerpt(std::string_view text, std::size_t columns) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  bool cut = false;
  if (const std::size_t end = text.find_first_of("\r\n"); end != std::string_view::npos) {
    cut = text.find_first_not_of(" \t\r\n", end) != std::string_view::npos;
    text = text.substr(0, end);
  }
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_code_point = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_code_point && seen++ == columns) {
      text = text.substr(0, i);
      cut = true;
    }
  }
  return Printable(text) + (cut ? "…" : "");
}

std::string ByteCount(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit > 0 && bytes < 10 ? Format("{:.1f} {}", bytes, kUnits[unit])
                                : Format("{:.0f} {}", bytes, kUnits[unit]);
}

}  // namespace kvasir::cli
