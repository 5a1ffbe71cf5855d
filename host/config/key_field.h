// A Field binds one key of a section of the file to one member of the section's struct in config.h. The
// member's type says how the value is read; its value in a default-constructed section is the default that is
// shown.
//
// A Field knows its section by address only, so that what reads and explains values is compiled once and not
// once for each section. Keys<Section> is where the two are held together.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "host/config/config.h"
#include "host/config/text_rule.h"

namespace davit::config {

// How a duration or size is written.
enum class Notation { WithUnit, Milliseconds, Seconds, Bytes };

// Where a value is kept in a section that is given by its address.
template <typename Value>
struct Place {
  Value& (*in)(void* section);
};

template <auto member>
struct MemberOf;
template <typename Section, typename Value, Value Section::*member>
struct MemberOf<member> {
  static Value& in(void* section) { return static_cast<Section*>(section)->*member; }
  static constexpr Place<Value> place{&in};
};

// at<&ServerConfig::port>: the place of that member.
template <auto member>
inline constexpr auto at = MemberOf<member>::place;

// An enumeration's words, in the order of its values.
struct Choice {
  std::span<const std::string_view> words;
  int (*index)(void* section);
  void (*choose)(void* section, int index);
};

template <auto member>
constexpr Choice choice(std::span<const std::string_view> words) {
  return {words, [](void* section) { return static_cast<int>(MemberOf<member>::in(section)); },
          [](void* section, int index) {
            auto& value = MemberOf<member>::in(section);
            value = static_cast<std::remove_reference_t<decltype(value)>>(index);
          }};
}

// One list of secret sources; several keys of a webhook fill it.
struct SecretList {
  Place<std::vector<SecretSource>> sources;
  SecretSource::Kind kind;
  bool several;
};

// A mapping of any shape, kept as JSON text, and where its members stand.
struct JsonObject {
  Place<std::string> text;
  Place<std::map<std::string, int>> lines;
};

using Target = std::variant<Place<bool>, Place<std::optional<bool>>, Place<int>, Place<std::optional<int>>,
                            Place<std::optional<double>>, Place<std::string>, Place<std::vector<std::string>>,
                            Place<Duration>, Place<std::optional<Duration>>, Place<std::size_t>,
                            Place<std::optional<std::size_t>>, Place<std::map<std::string, SecretSource>>,
                            Choice, SecretList, JsonObject>;

inline constexpr double kNoLimit = std::numeric_limits<double>::max();

struct Field {
  std::string_view name;
  Target target;
  std::string_view meaning;
  double least = 0;  // of numbers; durations in milliseconds, sizes in bytes
  double most = kNoLimit;
  TextRule rule = TextRule::Any;
  Notation notation = Notation::WithUnit;
  std::string_view if_absent = "-";  // shown where the default is not a value of the member
};

// Bounds that many keys have.
inline constexpr double kMinute = 60'000;
inline constexpr double kHour = 60 * kMinute;
inline constexpr double kTebibyte = 1ull << 40;

// All keys of a section; its fields' places are those of a Section.
template <typename Section>
struct Keys {
  std::span<const Field> fields;
};

// For std::visit: one function for each type of target.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace davit::config
