// One flag of one command, and how its text becomes a value.
#ifndef SDK_CLI_OPTION_H_
#define SDK_CLI_OPTION_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kvasir/filter.h"
#include "kvasir/status.h"
#include "kvasir/types.h"
#include "sdk/cli/format.h"

namespace kvasir::cli {

/// Takes the text of a flag's value ("true" or "false" for a switch) into a variable of the
/// command.
using Assign = std::function<Status(const std::string& text)>;

enum class OptionKind {
  kValue,     ///< `--top-k 5`
  kRepeated,  ///< `--stop A --stop B`; a list in kvasir.toml.
  kSwitch,    ///< `--explain`
};

struct Option {
  std::string name;   ///< "top-k". The environment's name is made from it: KVASIR_TOP_K.
  std::string value;  ///< What the help calls its value: "N".
  std::string help;
  Assign assign;
  OptionKind kind = OptionKind::kValue;
  std::string fallback{};  ///< The default as text, for the help and `config show`; may be empty.
  bool flag_only = false;  ///< Neither environment nor file may set it: `--yes`, `--all`, contents.
};

/// What a command takes beside flags.
struct Arguments {
  std::string name;  ///< "QUERY…"; empty: takes none.
  std::string help;
  std::vector<std::string>* values = nullptr;
  std::size_t least = 0;
  std::size_t most = 0;
};

Assign ToText(std::string* target);
Assign ToText(std::optional<std::string>* target);
Assign ToTexts(std::vector<std::string>* target);
Assign ToSwitch(bool* target);
/// A switch that turns something off: `--no-latent-memory` makes `target` false.
Assign ToFlipped(bool* target);
Assign ToNumber(double* target, double least, double most);
/// `2GiB`, `512MiB`, `64KiB` or plain bytes.
Assign ToBytes(std::uint64_t* target);
Assign ToTime(std::optional<Timestamp>* target);
Assign ToFilter(std::optional<Filter>* target);
Assign ToMetadata(std::optional<Metadata>* target);
/// `choices` maps each accepted word to the value that it stands for.
template <typename T>
Assign ToChoice(T* target, std::vector<std::pair<std::string, T>> choices) {
  return [target, choices = std::move(choices)](const std::string& text) -> Status {
    std::string words;
    for (const auto& [word, value] : choices) {
      if (word == text) {
        *target = value;
        return Status::Ok();
      }
      words += words.empty() ? word : ", " + word;
    }
    return InvalidArgument(Format("'{}' is none of: {}", text, words));
  };
}

template <std::integral T>
Assign ToCount(T* target, T least, T most = std::numeric_limits<T>::max()) {
  return [=](const std::string& text) -> Status {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || value < least || value > most) {
      return InvalidArgument(Format("'{}' is not a whole number from {} to {}", text, least, most));
    }
    *target = value;
    return Status::Ok();
  };
}

}  // namespace kvasir::cli

#endif  // SDK_CLI_OPTION_H_
