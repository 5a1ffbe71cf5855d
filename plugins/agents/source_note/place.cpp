#include "source_note/place.h"

#include <algorithm>
#include <charconv>

namespace note {
namespace {

bool consists_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view kName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

// What stands in front of the first `border`; the rest goes into `text`. Empty if there is none.
std::string cut(std::string_view& text, char border) {
  const std::size_t at = text.find(border);
  if (at == std::string_view::npos) return "";
  const std::string front(text.substr(0, at));
  text.remove_prefix(at + 1);
  return front;
}

bool is_segment(std::string_view text) { return consists_of(text, kName) && text != "." && text != ".."; }

bool read_github(std::string_view text, Place& place) {
  place.repo.owner = cut(text, '/');
  place.repo.name = cut(text, '#');
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), place.number);
  return is_segment(place.repo.owner) && is_segment(place.repo.name) && error == std::errc() &&
         stop == text.data() + text.size() && place.number > 0;
}

bool read_jira(std::string_view text, Place& place) {
  place.site = cut(text, '/');
  place.issue = text;
  const std::string project = cut(text, '-');
  return !place.site.empty() && consists_of(project, kCapitals) && consists_of(text, kDigits);
}

bool read_sentry(std::string_view text, Place& place) {
  place.site = cut(text, '/');
  place.issue = text;
  return is_segment(place.site) && consists_of(text, kDigits);
}

bool read_slack(std::string_view text, Place& place) {
  place.site = cut(text, '/');
  place.channel = cut(text, '/');
  place.thread = text;
  return consists_of(place.channel, kCapitals) && consists_of(text, "0123456789.") &&
         std::count(text.begin(), text.end(), '.') == 1;
}

}  // namespace

std::optional<Place> place_of(std::string_view entity_key) {
  constexpr std::size_t kMost = 256;
  struct Kind {
    std::string_view prefix;
    Sender sender;
    bool (*read)(std::string_view, Place&);
  };
  constexpr Kind kKinds[] = {{"github:", Sender::Github, read_github},
                             {"jira:", Sender::Jira, read_jira},
                             {"sentry:", Sender::Sentry, read_sentry},
                             {"slack:", Sender::Slack, read_slack}};
  for (const Kind& kind : kKinds) {
    if (!entity_key.starts_with(kind.prefix) || entity_key.size() > kMost) continue;
    Place place{.sender = kind.sender, .key = std::string(entity_key)};
    if (kind.read(entity_key.substr(kind.prefix.size()), place)) return place;
  }
  return std::nullopt;
}

}  // namespace note
