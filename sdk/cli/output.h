// Where words go: data on standard output, everything else on standard error.
#ifndef SDK_CLI_OUTPUT_H_
#define SDK_CLI_OUTPUT_H_

#include <ostream>
#include <string>
#include <string_view>

#include "sdk/cli/host.h"

namespace kvasir::cli {

enum class OutputFormat { kHuman, kJson, kJsonLines };

class Output {
 public:
  Output(const Host& host, OutputFormat format, bool quiet);

  OutputFormat format() const { return format_; }
  bool human() const { return format_ == OutputFormat::kHuman; }
  bool json() const { return format_ == OutputFormat::kJson; }
  bool json_lines() const { return format_ == OutputFormat::kJsonLines; }

  /// One line of data. The text is written as it is.
  void Line(std::string_view text);
  /// A piece of data without an end of line, flushed: for streamed tokens.
  void Piece(std::string_view text);
  /// What a person should know; left out with --quiet.
  void Note(std::string_view text);
  /// What a person must know.
  void Warn(std::string_view text);

  std::string Bold(std::string_view text) const { return Paint("1", text); }
  std::string Dim(std::string_view text) const { return Paint("2", text); }

  /// The stream for bars and prompts when there is a person to see them, else nullptr.
  std::ostream* person() const { return err_is_terminal_ && !quiet_ ? err_ : nullptr; }

 private:
  std::string Paint(std::string_view code, std::string_view text) const;

  std::ostream* out_;
  std::ostream* err_;
  OutputFormat format_;
  bool quiet_;
  bool colour_;
  bool err_is_terminal_;
};

/// Remembered text made safe for a terminal: control characters, which could move the cursor or
/// rename the window, become U+FFFD; tabs and ends of lines stay.
std::string Printable(std::string_view text);

/// The first line of `text`, printable, at most `columns` code points, "…" when something was cut.
std::string Excerpt(std::string_view text, std::size_t columns);

/// "1.5 MB", "12 KB", "7 B": powers of 1000, one digit below ten.
std::string ByteCount(double bytes);

}  // namespace kvasir::cli

#endif  // SDK_CLI_OUTPUT_H_
