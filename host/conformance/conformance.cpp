// In this order: the bytes; the load in a probe; then every check of the table for every webhook and agent,
// each in a child of its own. A library that does not get past one of the first two is not looked at further.
#include "host/conformance/conformance.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "host/base/file.h"
#include "host/base/json.h"
#include "host/conformance/inputs.h"
#include "host/isolation/probe.h"
#include "host/plugin/metadata.h"

namespace davit::conformance {
namespace {

constexpr std::size_t kMaxFile = 256u << 20;
constexpr int kFuzzCases = 2000;
constexpr int kRoundsMs = 600;

// A folder of our own, gone at the end.
class PrivateFolder {
 public:
  static Result<PrivateFolder> create() {
    std::error_code failed;
    const std::filesystem::path above = std::filesystem::temp_directory_path(failed);
    if (failed) return Error{ErrorCode::Unavailable, "TMPDIR is no folder: " + failed.message()};
    std::string path = (above / "davit-check-XXXXXX").string();
    if (!::mkdtemp(path.data())) return Error{ErrorCode::Unavailable, path + ": " + errno_text(errno)};
    return PrivateFolder(path);
  }
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~PrivateFolder() {
    std::error_code failed;
    if (!path_.empty()) std::filesystem::remove_all(path_, failed);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// The rule that a refusal of the probe breaks; nullptr where the probe itself did not work.
const Rule* rule_of(const Refusal& refusal) {
  const std::string& code = refusal.code;
  if (code == "load_failed" && refusal.reason.find("version `GLIBC_") != std::string::npos)
    return &rule("libc-version");
  static constexpr std::pair<std::string_view, const Rule*> kRefusals[] = {
      {"unresolved_symbol", &rule("undefined-symbol")},
      {"missing_library", &rule("needed-library")},
      {"load_failed", &rule("loads")},
      {"threw", &rule("exceptions")},
      {"constructor_threw", &rule("load-crash")},
      {"constructor_crashed", &rule("load-crash")},
      {"metadata_crashed", &rule("load-crash")},
      {"probe_exited", &rule("load-exit")},
      {"foreign_descriptors", &rule("foreign-descriptors")},
      {"probe_timeout", &rule("load-hang")},
      {"probe_memory", &rule("load-memory")},
      {"abi_too_new", &rule("abi-minor")},
      {"bad_factory", &rule("factory-struct")},
      {"metadata_too_large", &rule("metadata")},
      {"metadata_not_utf8", &rule("metadata")},
      {"metadata_not_json", &rule("metadata")},
      {"metadata_control_bytes", &rule("metadata")},
      {"metadata_failed", &rule("metadata")},
      {"bad_metadata", &rule("metadata")},
      {"bad_config_schema", &rule("config-schema")},
      {"bad_signature_scheme", &rule("signature-scheme")},
      {"duplicate_name", &rule("unique-names")},
  };
  for (const auto& [known, broken] : kRefusals) {
    if (code == known) return broken;
  }
  return nullptr;
}

// The refusal's sentence without the remedy behind it: the rule has one of its own.
std::string seen(const Refusal& refusal) {
  std::string text = refusal.reason;
  for (std::size_t end = text.rfind(". "); end != std::string::npos && end > 0; end = std::string::npos)
    text.resize(end);
  return text;
}

bool concerns(const Check& check, const Rule* only) {
  return !only || check.death == only ||
         std::find(check.rules.begin(), check.rules.end(), only) != check.rules.end();
}

bool applies(const Check& check, PluginKind kind) {
  return check.of == Of::Both || check.of == (kind == PluginKind::Webhook ? Of::Webhook : Of::Agent);
}

// Confined to one call of check_plugin.
class Conformance {
 public:
  Conformance(const ConformanceOptions& options, isolation::KnownChildren& children, Log& log)
      : options_(options), children_(children), log_(log) {}

  Result<Report> run(const std::filesystem::path& file) {
    report_.file = file;
    report_.seed = options_.seed;
    if (!options_.only.empty()) {
      only_ = find_rule(options_.only);
      if (!only_)
        return Error{ErrorCode::InvalidInput, "--only " + options_.only + ": no such rule; see --list"};
    }
    if (!options_.testdata.empty() && !std::filesystem::is_directory(options_.testdata))
      return Error{ErrorCode::InvalidInput, "--testdata " + options_.testdata + ": no such folder"};
    if (!is_utf8(options_.testdata))
      return Error{ErrorCode::InvalidInput, "--testdata: the folder's name is not UTF-8; use a copy"};
    const PrivateFolder folder = TRY(PrivateFolder::create());
    if (!TRY(bytes_are_good(file, folder))) return finished();
    if (time_left() <= Duration::zero()) {
      stopped_in_ = "the look at the file";
      return finished();
    }
    auto probed = isolation::probe(job_.file, probe_options(), children_, log_);
    if (auto* refusal = std::get_if<Refusal>(&probed)) {
      report_.whole = false;
      TRY(judge_refusal(*refusal));
      return finished();
    }
    TRY(check_offers(std::get<ProbeReport>(probed).offers));
    if (only_)
      std::erase_if(report_.findings,
                    [&](const Finding& f) { return f.rule != only_ && !stops_all(*f.rule); });
    return finished();
  }

 private:
  static bool stops_all(const Rule& broken) { return &broken == &rule("config-sample"); }

  Duration time_left() const {
    return std::chrono::ceil<Duration>(until_ - std::chrono::steady_clock::now());
  }

  // The report, with what the deadline and calls that hang have left out.
  Report finished() {
    std::size_t left_out = 0;
    for (auto& [where, rules] : not_looked_for_) {
      std::vector<const Rule*> still;
      for (const Rule& known : kRules) {
        if (!rules.contains(&known) || looked_for_[where].contains(&known) || has_found(known, where) ||
            (only_ && only_ != &known))
          continue;
        still.push_back(&known);
      }
      left_out += still.size();
      if (!still.empty()) report_.not_run[where] = std::move(still);
    }
    if (left_out == 0 && stopped_in_.empty()) return std::move(report_);
    report_.whole = false;
    const std::string why = stopped_in_.empty() ? "What hung was not called again"
                                                : "The " + std::to_string(options_.deadline.count()) +
                                                      " ms were over in " + stopped_in_;
    report_.findings.push_back(
        {&rule("in-time"), "",
         why + ", so " + std::to_string(left_out) + " rules were not looked for to the end"});
    return std::move(report_);
  }

  isolation::ProbeOptions probe_options() const {
    isolation::ProbeOptions probe;
    probe.runner_command = options_.runner_command;
    probe.deadline = std::min(options_.load_deadline, time_left());
    return probe;
  }

  // Looks at a copy, as the host does: what a compiler does to the file meanwhile does not matter.
  Result<bool> bytes_are_good(const std::filesystem::path& file, const PrivateFolder& folder) {
    auto bytes = read_file(file, kMaxFile);
    if (!bytes) {
      report_.findings.push_back({&rule("file-plain"), "", bytes.error().message});
      report_.whole = false;
      return false;
    }
    job_.file = folder.path() / "plugin.so";  // whatever the file is called: long, or no text
    TRY(write_file_atomically(job_.file, *bytes, 0500));
    job_.seed = options_.seed;
    job_.testdata = options_.testdata.empty() ? "" : std::filesystem::absolute(options_.testdata).string();
    job_.fuzz_cases = kFuzzCases;
    job_.fuzz_all = options_.fuzz_all;
    job_.rounds_ms = kRoundsMs;
    job_.execution_ms = static_cast<int>(options_.execution.count());
    const Check& check = all_checks().front();
    TRY(run(check, ""));
    static constexpr const Rule* kUnloadable[] = {&rule("file-plain"), &rule("file-elf"),
                                                  &rule("file-machine"), &rule("file-whole"),
                                                  &rule("factory-symbol")};
    for (const Finding& finding : report_.findings) {
      if (std::find(std::begin(kUnloadable), std::end(kUnloadable), finding.rule) != std::end(kUnloadable))
        report_.whole = false;
    }
    return report_.whole;
  }

  Result<> judge_refusal(const Refusal& refusal) {
    const Rule* broken = rule_of(refusal);
    if (!broken) return Error{ErrorCode::Unavailable, refusal.reason};
    report_.findings.push_back({broken, "", seen(refusal)});
    return {};
  }

  Result<> check_offers(const std::vector<PluginOffer>& offers) {
    bool config_fits = options_.config.empty();
    for (const PluginOffer& offer : offers) {
      const std::string where = std::string(davit::to_string(offer.kind)) + " " + offer.name;
      report_.offers.push_back(where + (offer.version.empty() ? "" : " " + offer.version));
      job_.kind = offer.kind;
      job_.index = offer.index;
      job_.metadata = offer.metadata;
      job_.hung.clear();
      const bool has_config = TRY(choose_config(where, config_fits));
      for (const Check& check : all_checks()) {
        if (check.of == Of::File || !applies(check, offer.kind) || !concerns(check, only_)) continue;
        if (!has_config && check.run != check_metadata) continue;
        if (only_ && has_found(*only_, where)) break;
        TRY(run(check, where));
      }
    }
    if (!config_fits)
      return Error{ErrorCode::InvalidInput,
                   "--config: nothing that the library offers allows it: " + config_fault_};
    return {};
  }

  // The config given, where config_schema allows it; else one that is made up. False where there is none.
  Result<bool> choose_config(const std::string& where, bool& config_fits) {
    const JsonDocument metadata = TRY(parse_json(job_.metadata));
    const std::string schema = text_member(metadata, "config_schema", "");
    if (!options_.config.empty()) {
      const auto allowed = plugin::check_config(schema, options_.config);
      if (allowed) {
        config_fits = true;
        job_.config = options_.config;
        return true;
      }
      config_fault_ = allowed.error().message;
    }
    auto sample = sample_config(job_.metadata);
    if (!sample) {
      report_.findings.push_back({&rule("config-sample"), where, sample.error().message});
      report_.whole = false;
      return false;
    }
    job_.config = *sample;
    return true;
  }

  bool has_found(const Rule& broken, const std::string& where) const {
    return std::any_of(report_.findings.begin(), report_.findings.end(),
                       [&](const Finding& f) { return f.rule == &broken && f.where == where; });
  }

  Result<> run(const Check& check, const std::string& where) {
    auto& rules = not_looked_for_[where];
    rules.insert(check.death);
    rules.insert(check.rules.begin(), check.rules.end());
    if (time_left() <= Duration::zero()) {
      if (stopped_in_.empty()) stopped_in_ = "the checks before " + std::string(check.name);
      return {};
    }
    job_.check = std::string(check.name);
    ++report_.checks;
    ChildOutcome outcome = TRY(run_child(check, job_, options_.child, until_, children_));
    for (Finding& finding : outcome.findings) {
      finding.where = where;
      // Said once per webhook or agent is enough, whichever check saw it first.
      if (!has_found(*finding.rule, where)) report_.findings.push_back(std::move(finding));
    }
    if (outcome.is_cut_short) {
      stopped_in_ = std::move(outcome.hung);
      return {};
    }
    if (!outcome.hung.empty()) {
      // What hangs with ordinary input hangs with any, for all that can be known within a lifetime.
      const bool with_any = check.death == &rule("plain-input");
      job_.hung.push_back(with_any ? outcome.hung.substr(0, outcome.hung.find(" with ")) : outcome.hung);
    }
    if (!outcome.hung.empty() || !outcome.avoided.empty()) return {};
    looked_for_[where].insert(check.death);
    looked_for_[where].insert(check.rules.begin(), check.rules.end());
    return {};
  }

  const ConformanceOptions& options_;
  isolation::KnownChildren& children_;
  Log& log_;
  const MonotonicTime until_ = std::chrono::steady_clock::now() + options_.deadline;
  const Rule* only_ = nullptr;
  Job job_;
  std::map<std::string, std::set<const Rule*>> looked_for_, not_looked_for_;  // by webhook or agent
  std::string stopped_in_;  // what the deadline found under way; empty: it did not come
  Report report_;
  std::string config_fault_;
};

}  // namespace

Result<Report> check_plugin(const std::filesystem::path& file, const ConformanceOptions& options,
                            isolation::KnownChildren& children, Log& log) {
  return Conformance(options, children, log).run(file);
}

}  // namespace davit::conformance
