#include "host/config/key_words.h"

#include <cstdio>

#include "host/config/quantity.h"

namespace davit::config {
namespace {

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", number);
  return text;
}

std::string duration_bound(double milliseconds, Notation notation) {
  if (notation == Notation::Milliseconds) return number_text(milliseconds);
  if (notation == Notation::Seconds) return number_text(milliseconds / 1000);
  return to_text(Duration(static_cast<long long>(milliseconds)));
}

std::string size_bound(double bytes, Notation notation) {
  return notation == Notation::Bytes ? number_text(bytes) : size_to_text(static_cast<std::size_t>(bytes));
}

std::string plain_bound(double number, Notation) { return number_text(number); }

std::string range_text(const Field& field, std::string (*bound)(double, Notation)) {
  if (field.most == kNoLimit) return "of at least " + bound(field.least, field.notation);
  return bound(field.least, field.notation) + " to " + bound(field.most, field.notation);
}

std::string integer_type(const Field& field) { return "integer " + range_text(field, plain_bound); }

std::string duration_type(const Field& field) {
  const std::string range = range_text(field, duration_bound);
  if (field.notation == Notation::Milliseconds) return "integer " + range + " (milliseconds)";
  if (field.notation == Notation::Seconds) return "integer " + range + " (seconds)";
  return "duration " + range;
}

std::string size_type(const Field& field) {
  return (field.notation == Notation::Bytes ? "integer " : "size ") + range_text(field, size_bound) +
         (field.notation == Notation::Bytes ? " (bytes)" : "");
}

}  // namespace

std::string joined(std::span<const std::string_view> words, std::string_view separator) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string type_text(const Field& field) {
  return std::visit(
      Overloaded{
          [](Place<bool>) { return std::string("true | false"); },
          [](Place<std::optional<bool>>) { return std::string("true | false"); },
          [&](Place<int>) { return integer_type(field); },
          [&](Place<std::optional<int>>) {
            return (field.if_absent == "auto" ? "auto | " : "") + integer_type(field);
          },
          [&](Place<std::optional<double>>) { return "number " + range_text(field, plain_bound); },
          [&](Place<std::string>) { return std::string(word_for(field.rule)); },
          [&](Place<std::vector<std::string>>) { return "list: " + std::string(word_for(field.rule)); },
          [&](Place<Duration>) { return duration_type(field); },
          [&](Place<std::optional<Duration>>) { return duration_type(field); },
          [&](Place<std::size_t>) { return size_type(field); },
          [&](Place<std::optional<std::size_t>>) { return size_type(field); },
          [](Place<std::map<std::string, SecretSource>>) {
            return std::string("mapping of names to env, file or credential");
          },
          [](const Choice& choice) { return joined(choice.words, " | "); },
          [](const SecretList& list) {
            const std::string what(word_for(rule_for(list.kind)));
            return list.several ? "list: " + what : what;
          },
          [](const JsonObject&) { return std::string("mapping"); },
      },
      field.target);
}

std::string default_text(const Field& field, void* section) {
  const auto absent = [&] { return std::string(field.if_absent); };
  return std::visit(
      Overloaded{
          [&](Place<bool> place) { return std::string(place.in(section) ? "true" : "false"); },
          [&](Place<int> place) { return std::to_string(place.in(section)); },
          [&](Place<std::string> place) { return place.in(section).empty() ? absent() : place.in(section); },
          [&](Place<Duration> place) {
            return field.notation == Notation::Milliseconds ? std::to_string(place.in(section).count())
                                                            : to_text(place.in(section));
          },
          [&](Place<std::size_t> place) { return size_to_text(place.in(section)); },
          [&](const Choice& choice) {
            return std::string(choice.words[static_cast<std::size_t>(choice.index(section))]);
          },
          [&](Place<std::vector<std::string>> place) {
            std::string items;
            for (const std::string& item : place.in(section)) items += (items.empty() ? "" : ", ") + item;
            return "[" + items + "]";
          },
          [](Place<std::map<std::string, SecretSource>>) { return std::string("{}"); },
          [](const JsonObject&) { return std::string("{}"); },
          [&](const auto&) { return absent(); },
      },
      field.target);
}

}  // namespace davit::config
