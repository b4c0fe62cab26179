#include "tests/cli/bad_input_cases.h"

#include <filesystem>
#include <fstream>

namespace kvasir::cli {
namespace {

using Words = std::vector<std::string>;

/// A row about words alone.
BadInput Said(std::string name, Words words, int exit_code, std::string error) {
  return {std::move(name), {std::move(words), "", {}, ""}, exit_code, std::move(error)};
}

/// `words` after `--store store`.
BadInput InStore(std::string name, Words words, int exit_code, std::string error) {
  words.insert(words.begin(), {"--store", "store"});
  return Said(std::move(name), std::move(words), exit_code, std::move(error));
}

/// One bad row on the standard input of `remember`.
BadInput Row(std::string name, std::string row, std::string error) {
  BadInput input = InStore(std::move(name), {"remember", "--format", "jsonl", "-"}, 2,
                           "standard input:1: .*" + error);
  input.invocation.input = std::move(row) + "\n";
  return input;
}

/// `remember bad` where the file `bad` holds `content`.
template <typename Prepare>
BadInput File(std::string name, Prepare prepare, int exit_code, std::string error) {
  BadInput input = InStore(std::move(name), {"remember", "bad"}, exit_code, std::move(error));
  input.prepare = prepare;
  return input;
}

/// A command that needs the model, told to use `path`.
template <typename Prepare>
BadInput ModelFile(std::string name, std::string path, Prepare prepare, int exit_code,
                   std::string error) {
  BadInput input = InStore(std::move(name), {"recall", "x", "--model", std::move(path)}, exit_code,
                           std::move(error));
  input.prepare = prepare;
  return input;
}

std::string Deep(int levels) {
  const auto n = static_cast<std::size_t>(levels);
  return std::string(n, '[') + std::string(n, ']');
}

void Append(std::vector<BadInput>* all, std::vector<BadInput> more) {
  for (BadInput& row : more) all->push_back(std::move(row));
}

std::vector<BadInput> Commands() {
  return {
      Said("NoCommand", {}, 2, "which command"),
      Said("EmptyCommand", {""}, 2, "no command ''"),
      Said("UnknownCommand", {"remembr"}, 2, "no command 'remembr'"),
      Said("UnknownFlag", {"recall", "x", "--topk", "3"}, 2, "--topk"),
      Said("FlagWithoutValue", {"recall", "x", "--top-k"}, 2, "top-k"),
      Said("UnknownShell", {"completion", "tcsh"}, 2, "'tcsh' is none of: bash, zsh, fish"),
      Said("UnknownModelAction", {"model", "push"}, 2, "'push' is none of"),
      Said("UnknownConfigAction", {"config", "set"}, 2, "'set' is none of: show"),
      Said("JsonTwice", {"config", "show", "--json", "--jsonl"}, 2, "exclude each other"),
      Said("UnknownBackend", {"recall", "x", "--backend", "tpu"}, 2, "'tpu' is none of"),
      Said("UnknownQuantiser", {"recall", "x", "--quantiser", "int2"}, 2, "'int2' is none of"),
      Said("MemoryInUnknownUnit", {"recall", "x", "--memory", "2G"}, 2, "'2G' is not a size"),
      Said("NegativeThreads", {"recall", "x", "--threads", "-1"}, 2, "'-1' is not a whole number"),
  };
}

std::vector<BadInput> Queries() {
  return {
      InStore("NoQuery", {"recall"}, 2, "QUERY"),
      InStore("EmptyQuery", {"recall", ""}, 2, "query"),
      InStore("QueryIsNoUtf8", {"recall", "a\xFF"}, 2, "UTF-8"),
      InStore("TopKZero", {"recall", "x", "--top-k", "0"}, 2, "from 1 to 1000"),
      InStore("TopKTooLarge", {"recall", "x", "--top-k", "1001"}, 2, "from 1 to 1000"),
      InStore("TopKNoNumber", {"recall", "x", "--top-k", "many"}, 2, "'many'"),
      InStore("TopKBeyond64Bits", {"recall", "x", "--top-k", "99999999999999999999"}, 2, "9999"),
      InStore("HopsTooMany", {"recall", "x", "--hops", "5"}, 2, "from 1 to 4"),
      InStore("ThresholdNan", {"recall", "x", "--threshold", "nan"}, 2, "from 0 to 1"),
      InStore("ThresholdTooHigh", {"recall", "x", "--threshold", "2"}, 2, "from 0 to 1"),
      InStore("UnknownChannel", {"recall", "x", "--channel", "sixth"}, 2, "'sixth' is none of"),
      InStore("FilterIsNoJson", {"recall", "x", "--filter", "{topic"}, 2, "--filter: "),
      InStore("FilterWithUnknownOperator", {"recall", "x", "--filter", R"({"a":{"near":1}})"}, 2,
              "near"),
      InStore("FilterTooDeep", {"recall", "x", "--filter", Deep(10'000)}, 2, "--filter: "),
      InStore("TimeIsNoTime", {"recall", "x", "--as-of", "yesterday"}, 2, "--as-of: "),
      InStore("TimeWithMonth13", {"recall", "x", "--as-of", "2026-13-01"}, 2, "--as-of: "),
      InStore("SpaceEmpty", {"recall", "x", "--space", ""}, 3, "no space"),
      InStore("NoQuestion", {"ask"}, 2, "QUESTION"),
      InStore("TemperatureNegative", {"ask", "x", "--temperature", "-1"}, 2, "--temperature"),
      InStore("DocumentsPerHopTooMany", {"ask", "x", "--documents-per-hop", "17"}, 2, "1 to 16"),
      InStore("ReasonerIsAway",
              {"ask", "--quiet", "Lisbon?", "--reasoner", "http://127.0.0.1:9/v1"}, 7,
              "127.0.0.1:9"),
      InStore("ReasonerIsNoUrl", {"ask", "Lisbon?", "--reasoner", "gopher:x"}, 2, "gopher"),
      InStore("ReasonerKeyFileIsAway",
              {"ask", "Lisbon?", "--reasoner", "http://127.0.0.1:9", "--reasoner-key-file", "none"},
              3, "none"),
  };
}

std::vector<BadInput> Ids() {
  return {
      InStore("GetNothing", {"get"}, 2, "ID"),
      InStore("GetUnknown", {"get", "nobody"}, 3, "nobody"),
      InStore("GetInUnknownSpace", {"get", "kept", "--space", "elsewhere"}, 3, "elsewhere"),
      InStore("HistoryOfUnknown", {"history", "nobody"}, 3, "nobody"),
      InStore("UpdateUnknown", {"update", "nobody", "--text", "x"}, 3, "nobody"),
      InStore("UpdateNothing", {"update", "kept"}, 2, "nothing to change"),
      InStore("UpdateStale", {"update", "kept", "--text", "x", "--if-match", "00"}, 5, "kept"),
      InStore("UpdateTwoTexts", {"update", "kept", "--text", "x", "--text-file", "y"}, 2,
              "exclude each other"),
      InStore("ForgetWhat", {"forget"}, 2, "what\\?"),
      InStore("ForgetUnknown", {"forget", "nobody"}, 3, "nobody"),
      InStore("ForgetIdAndAll", {"forget", "kept", "--all", "--yes"}, 2, "exclude each other"),
      InStore("ForgetTwoScopes", {"forget", "--session", "s", "--all", "--yes"}, 2,
              "exclude each other"),
      InStore("ForgetAllUnasked", {"forget", "--all"}, 2, "--yes"),
      InStore("ForgetSpaceUnasked", {"forget", "--whole-space"}, 2, "--yes"),
      InStore("ForgetMoreThanMax", {"forget", "--all", "--yes", "--max", "1"}, 5, "2"),
      InStore("ListLimitZero", {"list", "--limit", "0"}, 2, "from 1 to 1000"),
      InStore("ListCursorMadeUp", {"list", "--cursor", "!!"}, 2, "cursor"),
  };
}

std::vector<BadInput> Rows() {
  std::string many = "{\"text\":\"t\",\"metadata\":{\"k0\":0";
  for (int i = 1; i < 65; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  return {
      Row("RowIsNoJson", "{\"text\":", "not JSON"),
      Row("RowIsNoObject", "[1]", "not a JSON object"),
      Row("RowIsBadUtf8", "{\"text\":\"\xFF\"}", "not JSON"),
      Row("RowWithHalfASurrogate", R"({"text":"\ud800"})", "not JSON"),
      Row("RowTooDeep", "{\"text\":" + Deep(100'000) + "}", "more than 64"),
      Row("RowWithHugeInteger", R"({"text":"t","n":123456789012345678901})", "64 bits"),
      Row("RowWithoutText", R"({"id":"a"})", "neither"),
      Row("RowTextIsNumber", R"({"text":5})", "\"text\" is not a string"),
      Row("RowTextIsEmpty", R"({"text":""})", "text"),
      Row("RowTextHoldsNul", R"({"text":"a\u0000b"})", "zero byte"),
      Row("RowIdHoldsNul", R"({"id":"a\u0000b","text":"t"})", "id"),
      Row("RowIdTooLong", "{\"text\":\"t\",\"id\":\"" + std::string(100'000, 'i') + "\"}", "id"),
      Row("RowTimeIsNoTime", R"({"text":"t","expires_at":"soon"})", "\"expires_at\""),
      Row("RowMessagesIsNoList", R"({"messages":{}})", "\"messages\" is not a list"),
      Row("RowMessagesHoldText", R"({"messages":["hi"]})", "other than objects"),
      Row("RowMetadataIsList", R"({"text":"t","metadata":[]})", "metadata"),
      Row("RowMetadataIsNested", R"({"text":"t","metadata":{"a":{"b":1}}})", "a"),
      Row("RowMetadataHasTooManyKeys", many + "}}", "64"),
      Row("RowMetadataKeyIsEmpty", R"({"text":"t","metadata":{"":1}})", "key"),
      Row("RowOf10MB", "{\"text\":\"" + std::string(10'000'000, 'x') + "\"}", "longer than 8 MiB"),
  };
}

std::vector<BadInput> Files() {
  BadInput input = InStore("InputIsEmpty", {"remember", "-"}, 2, "is empty");
  BadInput binary = InStore("InputIsBinary", {"remember"}, 2, "no UTF-8 text");
  binary.invocation.input = std::string("\0\1\2", 3);
  BadInput huge = InStore("InputIsTooLong", {"remember", "-"}, 2, "longer than 8 MiB");
  huge.invocation.input = std::string(9 << 20, 'x');
  std::vector<BadInput> all = {
      std::move(input),
      std::move(binary),
      std::move(huge),
      InStore("PathIsAway", {"remember", "Ada lives here"}, 3, "no such file or folder"),
      InStore("TextIsEmpty", {"remember", "--text", ""}, 2, "text"),
      InStore("TextAndFiles", {"remember", "--text", "x", "store"}, 2, "exclude each other"),
      InStore("MetadataFlagIsNoJson", {"remember", "--text", "x", "--metadata", "a=b"}, 2,
              "--metadata: "),
      InStore("ValidTimesReversed",
              {"remember", "--text", "x", "--valid-from", "2026-02-01", "--valid-to", "2026-01-01"},
              2, "valid"),
      InStore("ImportAway", {"import", "none.jsonl"}, 3, "none.jsonl"),
      InStore("EvalWithoutQuestions", {"eval", "--corpus", "c"}, 2, "--questions is missing"),
      InStore("EvalQuestionsAway", {"eval", "--questions", "none"}, 3, "none"),
  };
  all.push_back(File(
      "FileIsEmpty", [](const Place& place) { place.Write("bad", ""); }, 2, "is empty"));
  all.push_back(File(
      "FileIsBinary",
      [](const Place& place) {
        place.Write("bad", std::string("\x7F"
                                       "ELF\0",
                                       5));
      },
      2, "no UTF-8 text"));
  all.push_back(File(
      "FileIsLatin1", [](const Place& place) { place.Write("bad", "caf\xE9"); }, 2,
      "no UTF-8 text"));
  all.push_back(File(
      "FileIsTooLong", [](const Place& place) { place.Write("bad", std::string(9 << 20, 'x')); }, 2,
      "longer than 8 MiB"));
  all.push_back(File(
      "FolderHoldsNothing",
      [](const Place& place) { std::filesystem::create_directory(place.folder() / "bad"); }, 3,
      "no text files"));
  BadInput questions = InStore("EvalRowWithoutGold", {"eval", "--questions", "bad"}, 2, "bad:1: ");
  questions.prepare = [](const Place& place) { place.Write("bad", "{\"question\":\"q\"}\n"); };
  all.push_back(std::move(questions));
  BadInput two = InStore("IdForTwoFiles", {"remember", "bad", "--id", "one"}, 2, "several texts");
  two.prepare = [](const Place& place) {
    place.Write("bad/a", "a");
    place.Write("bad/b", "b");
  };
  all.push_back(std::move(two));
  BadInput full = InStore("OutputIsFull", {"export", "--quiet"}, 8, "standard output");
  full.invocation.stdout_path = "/dev/full";
  all.push_back(std::move(full));
  return all;
}

std::vector<BadInput> Models() {
  const auto nothing = [](const Place&) {};
  return {
      ModelFile("ModelIsAway", "none.gguf", nothing, 7, "none.gguf"),
      ModelFile(
          "ModelIsEmpty", "m.gguf", [](const Place& place) { place.Write("m.gguf", ""); }, 6,
          "m.gguf: not a GGUF file: it is empty"),
      ModelFile(
          "ModelIsNoGguf", "m.gguf",
          [](const Place& place) { place.Write("m.gguf", std::string(4096, 'x')); }, 6,
          "m.gguf: not a GGUF file: its first bytes"),
      ModelFile(
          "ModelIsCutOff", "m.gguf",
          [](const Place& place) {
            std::string head(1 << 20, '\0');
            std::ifstream(RealModel(), std::ios::binary).read(head.data(), 1 << 20);
            place.Write("m.gguf", head);
          },
          6, "m.gguf"),
      ModelFile(
          "ModelFolderIsEmpty", "m",
          [](const Place& place) { std::filesystem::create_directory(place.folder() / "m"); }, 3,
          "m"),
      // Another router is another model to the store: its segments must not be read with it.
      InStore("ModelIsNotTheStores", {"recall", "x", "--adapter", "none"}, 5,
              "the store's segments were made by .*reencode"),
      InStore("AdapterIsAway", {"recall", "x", "--adapter", "none.safetensors"}, 3, "none"),
  };
}

std::vector<BadInput> Stores() {
  BadInput settings =
      Said("SettingsFileIsNoToml", {"recall", "x", "--config", "k.toml"}, 2, "k.toml:2: ");
  settings.prepare = [](const Place& place) { place.Write("k.toml", "\nstore = = 1\n"); };
  BadInput unknown = Said("SettingIsUnknown", {"recall", "x", "--config", "k.toml"}, 2,
                          "k.toml:1: no setting is called 'stroe'");
  unknown.prepare = [](const Place& place) { place.Write("k.toml", "stroe = 1\n"); };
  BadInput variable = InStore("VariableIsNoNumber", {"recall", "x"}, 2, "KVASIR_TOP_K");
  variable.invocation.environment["KVASIR_TOP_K"] = "ten";
  BadInput file = Said("StoreIsAFile", {"--store", "f", "list"}, 3, "f");
  file.prepare = [](const Place& place) { place.Write("f", "text"); };
  BadInput other = Said("StoreIsAnotherFolder", {"--store", "d", "list"}, 3, "d");
  other.prepare = [](const Place& place) { place.Write("d/notes.txt", "text"); };
  BadInput onto = InStore("RestoreOntoAStore", {"restore", "backups"}, 5, "store");
  onto.prepare = [](const Place& place) {
    place.Run({{"--store", "store", "backup", "backups"}, "", {}, ""});
  };
  BadInput taken = InStore("BackupIntoAFile", {"backup", "f"}, 7, "f");
  taken.prepare = [](const Place& place) { place.Write("f", "text"); };
  return {
      std::move(settings),
      std::move(unknown),
      std::move(variable),
      std::move(file),
      std::move(other),
      std::move(onto),
      std::move(taken),
      Said("SettingsFileIsAway", {"recall", "x", "--config", "none.toml"}, 3, "none.toml"),
      Said("StoreIsAway", {"--store", "none", "recall", "x"}, 3, "no store at none"),
      Said("StoreMayNotBeMadeThere", {"--store", "/sys/kvasir", "remember", "--text", "x"}, 4,
           "/sys/kvasir"),
      Said("RestoreFromNothing", {"--store", "new", "restore", "none"}, 3, "none"),
  };
}

}  // namespace

std::vector<BadInput> BadInputCases() {
  std::vector<BadInput> all = Commands();
  Append(&all, Queries());
  Append(&all, Ids());
  Append(&all, Rows());
  Append(&all, Files());
  Append(&all, Models());
  Append(&all, Stores());
  return all;
}

}  // namespace kvasir::cli
