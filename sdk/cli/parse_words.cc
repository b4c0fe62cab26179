#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "kvasir/memory.h"
#include "sdk/cli/command_line.h"
#include "sdk/cli/format.h"

namespace kvasir::cli {
namespace {

constexpr std::string_view kFooter =
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 conflict or store locked,\n"
    "6 corruption, 7 unavailable, 8 no space, 130 interrupted.\n"
    "Settings: flag > environment (KVASIR_ and the flag's name) > kvasir.toml > default.";

// CLI11 reads "[a,b]" among the arguments as a list; a query may look like that. This byte in
// front, which no argument of a terminal has, hides the bracket from it.
constexpr char kShield = '\x01';

std::string Shielded(const std::string& word) {
  return word.starts_with('[') ? kShield + word : word;
}

std::string Bare(const std::string& word) {
  return word.starts_with(kShield) ? word.substr(1) : word;
}

using Declared = std::vector<std::pair<const Option*, CLI::Option*>>;

void Declare(const std::vector<Option>& options, CLI::App* app, Declared* declared) {
  const auto keep = [](const CLI::results_t&) { return true; };
  for (const Option& option : options) {
    const std::string flag = "--" + option.name;
    const std::string help =
        option.fallback.empty() ? option.help : Format("{} [{}]", option.help, option.fallback);
    CLI::Option* made = nullptr;
    if (option.kind == OptionKind::kSwitch) {
      made = app->add_flag_callback(
          flag, [] {}, help);
    } else {
      made = app->add_option(flag, keep, help)->type_name(option.value)->allow_extra_args(false);
      made->multi_option_policy(option.kind == OptionKind::kRepeated
                                    ? CLI::MultiOptionPolicy::TakeAll
                                    : CLI::MultiOptionPolicy::TakeLast);
    }
    declared->emplace_back(&option, made);
  }
}

CLI::Option* DeclareArguments(const Arguments& arguments, CLI::App* app) {
  if (arguments.name.empty()) return nullptr;
  CLI::Option* made = app->add_option(
      arguments.name, [](const CLI::results_t&) { return true; }, arguments.help);
  made->expected(static_cast<int>(arguments.least), static_cast<int>(arguments.most));
  made->allow_extra_args(arguments.most > 1);
  return made->required(arguments.least > 0)
      ->type_name("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Collect(const Declared& declared, GivenFlags* flags) {
  for (const auto& [option, made] : declared) {
    if (made->count() == 0) continue;
    std::vector<std::string>& texts = (*flags)[option->name];
    for (const std::string& text : made->results()) texts.push_back(Bare(text));
    if (option->kind == OptionKind::kValue) texts = {texts.back()};
  }
}

/// "kvasir recall [OPTIONS] QUERY…" instead of CLI11's "recall [OPTIONS] QUERY(1x)".
class UsageFormatter : public CLI::Formatter {
 public:
  explicit UsageFormatter(const Arguments* arguments) : arguments_(arguments) {}

  std::string make_usage(const CLI::App* app, std::string) const override {
    if (arguments_ == nullptr) return "Usage: kvasir COMMAND [OPTIONS]\n";
    std::string words = arguments_->name + (arguments_->most > 1 ? "…" : "");
    if (arguments_->least == 0 && !words.empty()) words = "[" + words + "]";
    return Format("Usage: kvasir {} [OPTIONS] {}\n", app->get_name(), words);
  }

 private:
  const Arguments* arguments_;
};

std::string OneLine(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::erase(text, kShield);
  return text;
}

}  // namespace

Result<ParsedLine> ParseWords(const std::vector<std::string>& words,
                              const std::vector<Command>& commands,
                              const std::vector<Option>& common) {
  CLI::App app("kvasir: latent memory for agents", "kvasir");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(std::string(kFooter));
  app.formatter(std::make_shared<UsageFormatter>(nullptr));
  app.set_version_flag("--version", Format("kvasir {}", Version()));
  Declared shared;
  Declare(common, &app, &shared);

  struct Sub {
    const Command* command;
    CLI::App* app;
    Declared own;
    CLI::Option* arguments;
  };
  std::vector<Sub> subs;
  for (const Command& command : commands) {
    CLI::App* app_of = app.add_subcommand(command.name, command.summary);
    app_of->formatter(std::make_shared<UsageFormatter>(&command.arguments));
    app_of->footer("Common options (--store, --json, …): kvasir --help");
    Sub sub{&command, app_of, {}, DeclareArguments(command.arguments, app_of)};
    Declare(command.options, app_of, &sub.own);
    subs.push_back(std::move(sub));
  }

  ParsedLine line;
  try {
    std::vector<std::string> reversed;  // As CLI11 wants them.
    std::ranges::transform(words, std::back_inserter(reversed), Shielded);
    std::ranges::reverse(reversed);
    app.parse(std::move(reversed));
  } catch (const CLI::CallForVersion& version) {
    line.text = version.what();
    return line;
  } catch (const CLI::Success&) {
    const auto chosen = app.get_subcommands();
    line.text = (chosen.empty() ? &app : chosen.front())->help();
    return line;
  } catch (const CLI::Error& error) {
    std::string what = OneLine(error.what());
    const std::vector<std::string> unknown = app.remaining();
    if (app.get_subcommands().empty()) {
      what = unknown.empty() ? "which command?"
                             : Format("there is no command '{}'", OneLine(unknown.front()));
    }
    return InvalidArgument(what + "; `kvasir --help` lists what there is");
  }
  Collect(shared, &line.flags);
  for (const Sub& sub : subs) {
    if (!sub.app->parsed()) continue;
    line.command = sub.command;
    Collect(sub.own, &line.flags);
    if (sub.arguments == nullptr) continue;
    for (const std::string& word : sub.arguments->results()) line.arguments.push_back(Bare(word));
  }
  return line;
}

}  // namespace kvasir::cli
