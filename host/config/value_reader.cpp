#include "host/config/value_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "host/config/key_words.h"
#include "host/config/plugin_settings.h"
#include "host/config/quantity.h"

namespace davit::config {
namespace {

// Reads the value of one entry. What returns nullopt or nullptr has noted a mistake.
class ValueReader {
 public:
  ValueReader(const YamlNode::Member& entry, const std::string& path, const Field& field, void* section,
              std::vector<Mistake>& mistakes)
      : entry_(entry),
        value_(entry.value),
        path_(path),
        field_(field),
        section_(section),
        mistakes_(mistakes) {}

  void read() {
    const bool may_be_empty = std::holds_alternative<JsonObject>(field_.target);
    if (value_.kind == YamlNode::Kind::Null && !may_be_empty) {
      note(entry_.line, path_, "has no value; expected " + type_text(field_) + ", or remove the line");
      return;
    }
    std::visit([&](const auto& target) { read_into(target); }, field_.target);
  }

 private:
  void note(int line, std::string path, std::string text) {
    mistakes_.push_back({line, std::move(path), std::move(text)});
  }
  void note(std::string text) { note(value_.line, path_, std::move(text)); }

  // A value that is one word or number.
  const std::string* scalar() {
    if (value_.kind == YamlNode::Kind::Scalar) return &value_.text;
    note(std::string(value_.kind == YamlNode::Kind::Sequence ? "is a list" : "is a mapping") + "; expected " +
         type_text(field_));
    return nullptr;
  }

  // A scalar that must not be in quotes.
  const std::string* bare() {
    const std::string* text = scalar();
    if (text == nullptr || !value_.quoted) return text;
    note("is text in quotes; expected " + type_text(field_) + " without quotes");
    return nullptr;
  }

  bool in_range(double number) {
    if (number >= field_.least && number <= field_.most) return true;
    note(value_.text + " is out of range; expected " + type_text(field_));
    return false;
  }

  std::optional<bool> boolean() {
    const std::string* text = bare();
    if (text == nullptr) return std::nullopt;
    std::string word;
    for (const char c : *text) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    note(shown(*text) + " is neither true nor false");
    return std::nullopt;
  }

  std::optional<long long> integer(double factor = 1) {
    const std::string* text = bare();
    if (text == nullptr) return std::nullopt;
    const auto number = parse_integer(*text);
    if (!number) {
      const std::string_view digits = std::string_view(*text).substr(text->starts_with('-') ? 1 : 0);
      const bool leading_zero = digits.size() > 1 && digits.front() == '0' &&
                                digits.find_first_not_of("0123456789") == std::string_view::npos;
      note(shown(*text) +
           (leading_zero ? " begins with a zero, which some read as octal; write it without; expected "
                         : " is not a whole decimal number; expected ") +
           type_text(field_));
      return std::nullopt;
    }
    if (!in_range(static_cast<double>(*number) * factor)) return std::nullopt;
    return number;
  }

  std::optional<double> decimal() {
    const std::string* text = bare();
    if (text == nullptr) return std::nullopt;
    double number = 0;
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), number, std::chars_format::fixed);
    if (error != std::errc() || end != text->data() + text->size() || !std::isfinite(number)) {
      note(shown(*text) + " is not a decimal number; expected " + type_text(field_));
      return std::nullopt;
    }
    if (!in_range(number)) return std::nullopt;
    return number;
  }

  std::optional<Duration> duration() {
    if (field_.notation != Notation::WithUnit) {
      const long long factor = field_.notation == Notation::Seconds ? 1000 : 1;
      const auto number = integer(static_cast<double>(factor));
      if (!number) return std::nullopt;
      return Duration(*number * factor);
    }
    const std::string* text = bare();
    if (text == nullptr) return std::nullopt;
    const auto value = parse_duration(*text);
    if (!value) {
      note(shown(*text) + " is not a duration; write for example 500ms, 30s, 5m or 2h");
      return std::nullopt;
    }
    if (!in_range(static_cast<double>(value->count()))) return std::nullopt;
    return value;
  }

  std::optional<std::size_t> size() {
    if (field_.notation == Notation::Bytes) {
      const auto number = integer();
      if (!number) return std::nullopt;
      return static_cast<std::size_t>(*number);
    }
    const std::string* text = bare();
    if (text == nullptr) return std::nullopt;
    const auto value = parse_size(*text);
    if (!value) {
      note(shown(*text) + " is not a size; write for example 65536, 512KiB or 8MiB");
      return std::nullopt;
    }
    if (!in_range(static_cast<double>(*value))) return std::nullopt;
    return value;
  }

  // Text that keeps its rule.
  std::optional<std::string> text(const YamlNode& value, const std::string& path, TextRule rule) {
    if (value.kind != YamlNode::Kind::Scalar) {
      note(value.line, path, "expected " + std::string(word_for(rule)));
      return std::nullopt;
    }
    if (!is_plain_string(value)) {
      note(value.line, path,
           "YAML reads this as a number, boolean or null; expected " + std::string(word_for(rule)) +
               ", in quotes if it is");
      return std::nullopt;
    }
    if (const std::string problem = text_problem(value.text, rule); !problem.empty()) {
      note(value.line, path, problem);
      return std::nullopt;
    }
    return value.text;
  }

  // Those of a list that keep their rule; nullopt if it is no list.
  std::optional<std::vector<std::string>> texts(TextRule rule) {
    if (value_.kind != YamlNode::Kind::Sequence) {
      note("must be a list; write [one, two]");
      return std::nullopt;
    }
    std::vector<std::string> items;
    for (std::size_t i = 0; i < value_.items.size(); ++i)
      if (auto item = text(value_.items[i], path_ + "[" + std::to_string(i) + "]", rule))
        items.push_back(std::move(*item));
    return items;
  }

  // {env: VARIABLE}, {file: PATH} or {credential: NAME}
  std::optional<SecretSource> grant_source(const YamlNode::Member& grant, const std::string& path) {
    constexpr std::string_view kHint =
        "must be {env: VARIABLE}, {file: PATH} or {credential: NAME}; the secret itself does not belong in "
        "here";
    if (grant.value.kind != YamlNode::Kind::Mapping || grant.value.members.size() != 1) {
      note(grant.value.line, path, std::string(kHint));
      return std::nullopt;
    }
    const YamlNode::Member& source = grant.value.members.front();
    using Kind = SecretSource::Kind;
    Kind kind = Kind::Environment;
    if (source.key == "file") {
      kind = Kind::File;
    } else if (source.key == "credential") {
      kind = Kind::Credential;
    } else if (source.key != "env") {
      note(source.line, path, std::string(kHint));
      return std::nullopt;
    }
    const auto name = text(source.value, path + "." + source.key, rule_for(kind));
    if (!name) return std::nullopt;
    return SecretSource{kind, *name, source.line};
  }

  template <typename Member, typename Value>
  void assign(Place<Member> place, std::optional<Value> value) {
    if (value) place.in(section_) = std::move(*value);
  }

  void read_into(Place<bool> place) { assign(place, boolean()); }
  void read_into(Place<std::optional<bool>> place) { assign(place, boolean()); }
  void read_into(Place<int> place) { assign(place, integer()); }
  void read_into(Place<std::optional<int>> place) {
    if (field_.if_absent == "auto" && value_.kind == YamlNode::Kind::Scalar && value_.text == "auto")
      place.in(section_) = std::nullopt;
    else
      assign(place, integer());
  }
  void read_into(Place<std::optional<double>> place) { assign(place, decimal()); }
  void read_into(Place<std::string> place) { assign(place, text(value_, path_, field_.rule)); }
  void read_into(Place<std::vector<std::string>> place) { assign(place, texts(field_.rule)); }
  void read_into(Place<Duration> place) { assign(place, duration()); }
  void read_into(Place<std::optional<Duration>> place) { assign(place, duration()); }
  void read_into(Place<std::size_t> place) { assign(place, size()); }
  void read_into(Place<std::optional<std::size_t>> place) { assign(place, size()); }

  void read_into(Place<std::map<std::string, SecretSource>> place) {
    if (value_.kind != YamlNode::Kind::Mapping) {
      note("must be a mapping; write {name: {env: VARIABLE}} or {name: {file: PATH}}");
      return;
    }
    for (const auto& grant : value_.members)
      if (auto source = grant_source(grant, path_ + "." + grant.key))
        place.in(section_).emplace(grant.key, *source);
  }

  void read_into(const Choice& choice) {
    const std::string* word = scalar();
    if (word == nullptr) return;
    // YAML 1.1 files say `no` and `false` for the same thing.
    const std::string_view wanted = *word == "false" ? "no" : std::string_view(*word);
    const auto found = std::find(choice.words.begin(), choice.words.end(), wanted);
    if (found == choice.words.end())
      note(shown(*word) + " is not one of " + joined(choice.words, ", "));
    else
      choice.choose(section_, static_cast<int>(found - choice.words.begin()));
  }

  void read_into(const SecretList& list) {
    const TextRule rule = rule_for(list.kind);
    std::vector<std::string> names;
    if (list.several) {
      const auto several = texts(rule);
      if (!several) return;
      names = *several;
      if (value_.items.empty()) note("is an empty list; name at least one");
    } else if (const auto one = text(value_, path_, rule)) {
      names.push_back(*one);
    }
    for (std::string& name : names)
      list.sources.in(section_).push_back({list.kind, std::move(name), entry_.line});
  }

  void read_into(const JsonObject& object) {
    read_plugin_settings(entry_, path_, object.text.in(section_), object.lines.in(section_), mistakes_);
  }

  const YamlNode::Member& entry_;
  const YamlNode& value_;
  const std::string& path_;
  const Field& field_;
  void* section_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

void read_value(const YamlNode::Member& entry, const std::string& path, const Field& field, void* section,
                std::vector<Mistake>& mistakes) {
  ValueReader(entry, path, field, section, mistakes).read();
}

}  // namespace davit::config
