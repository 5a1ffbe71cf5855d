#include "host/conformance/report.h"

#include <algorithm>
#include <ostream>

#include "host/base/json.h"
#include "host/plugin/host_services.h"

namespace davit::conformance {
namespace {

std::string counted(int number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

// The worst first, in the order they were found.
std::vector<const Finding*> sorted(const Report& report) {
  std::vector<const Finding*> findings;
  for (const Finding& finding : report.findings) findings.push_back(&finding);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding* a, const Finding* b) { return a->rule->severity > b->rule->severity; });
  return findings;
}

void write_rule(JsonWriter& writer, const Rule& rule) {
  write_member(writer, "rule", rule.id);
  write_member(writer, "theme", rule.theme);
  write_member(writer, "severity", to_string(rule.severity));
  write_member(writer, "title", rule.title);
  write_member(writer, "remedy", rule.remedy);
}

}  // namespace

int count(const Report& report, Severity severity) {
  return static_cast<int>(std::count_if(report.findings.begin(), report.findings.end(),
                                        [&](const Finding& f) { return f.rule->severity == severity; }));
}

bool fails(const Report& report, Severity strictness) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const Finding& f) { return f.rule->severity >= strictness; });
}

void print(std::ostream& out, const Report& report, Severity strictness) {
  for (const Finding* finding : sorted(report)) {
    const Rule& rule = *finding->rule;
    out << to_string(rule.severity) << ": " << rule.id
        << (finding->where.empty() ? "" : " (" + finding->where + ")") << ": " << finding->sentence
        << ".\n    " << rule.remedy << '\n';
  }
  if (!report.findings.empty()) out << '\n';
  out << plugin::presentable(report.file.string(), 4096) << ": "
      << (fails(report, strictness) ? "FAILED" : "passed") << ", "
      << counted(count(report, Severity::Error), "error") << ", "
      << counted(count(report, Severity::Warning), "warning") << ", "
      << counted(count(report, Severity::Note), "note") << " from " << counted(report.checks, "check");
  for (std::size_t i = 0; i < report.offers.size(); ++i) out << (i ? ", " : " of ") << report.offers[i];
  out << "; seed " << report.seed << '\n';
  for (const auto& [where, rules] : report.not_run) {
    out << "Not run" << (where.empty() ? "" : " for " + where) << ":";
    for (std::size_t i = 0; i < rules.size(); ++i) out << (i ? ", " : " ") << rules[i]->id;
    out << ".\n";
  }
  if (!report.whole) out << "Not everything was looked at: correct the errors above and check again.\n";
}

void print_json(std::ostream& out, const Report& report, Severity strictness) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "file", report.file.string());
  write_member(writer, "passed", !fails(report, strictness));
  write_member(writer, "whole", report.whole);
  write_member(writer, "strict", to_string(strictness));
  write_member(writer, "seed", std::to_string(report.seed));
  write_member(writer, "checks", report.checks);
  write_member(writer, "errors", count(report, Severity::Error));
  write_member(writer, "warnings", count(report, Severity::Warning));
  write_member(writer, "notes", count(report, Severity::Note));
  writer.Key("offers");
  writer.StartArray();
  for (const std::string& offer : report.offers) write_string(writer, offer);
  writer.EndArray();
  writer.Key("not_run");
  writer.StartArray();
  for (const auto& [where, rules] : report.not_run) {
    for (const Rule* rule : rules) {
      writer.StartObject();
      write_member(writer, "where", where);
      write_member(writer, "rule", rule->id);
      writer.EndObject();
    }
  }
  writer.EndArray();
  writer.Key("findings");
  writer.StartArray();
  for (const Finding* finding : sorted(report)) {
    writer.StartObject();
    write_member(writer, "where", finding->where);
    write_member(writer, "sentence", finding->sentence);
    write_rule(writer, *finding->rule);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  out << text_of(buffer) << '\n';
}

void print_rules(std::ostream& out) {
  std::string_view theme;
  for (const Rule& rule : kRules) {
    if (rule.theme != theme) out << (theme.empty() ? "" : "\n") << rule.theme << '\n';
    theme = rule.theme;
    out << "  " << rule.id << " (" << to_string(rule.severity) << "): " << rule.title << ".\n      "
        << rule.remedy << '\n';
  }
}

void print_rules_json(std::ostream& out) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const Rule& rule : kRules) {
    writer.StartObject();
    write_rule(writer, rule);
    writer.EndObject();
  }
  writer.EndArray();
  out << text_of(buffer) << '\n';
}

}  // namespace davit::conformance
