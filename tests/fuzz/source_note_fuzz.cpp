// What a note says of other people's text, and where it is put: an entity's key in the first line, the text
// behind it.
#include <algorithm>
#include <cctype>
#include <string>

#include "davit/text.hpp"
#include "source_note/neutral.h"
#include "source_note/place.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;

constexpr std::string_view kJoiner = "\xE2\x81\xA0";

void read_place(std::string_view key) {
  const auto place = note::place_of(key);
  if (!place) return;
  promise(place->key == key, "a place is called by its key");
  for (const std::string& part : {place->issue, place->channel, place->thread})
    promise(part.find_first_of("/?#&%: ") == std::string::npos, "no part of a place changes a path");
  promise(place->sender != note::Sender::Github || place->number > 0, "an issue has a number");
}

void say(std::string_view text, note::Markup markup) {
  const std::string said = note::neutral(text, markup, 1000);
  promise(davit::is_utf8(said), "what is said is UTF-8");
  promise(said.size() <= 6 * 1000, "what is said is short");
  for (std::size_t at = 0; (at = said.find('@', at)) != std::string::npos; ++at)
    promise(std::string_view(said).substr(at + 1).starts_with(kJoiner), "nobody is mentioned");
  promise(markup != note::Markup::Slack || said.find('<') == std::string::npos, "Slack sees no link");
  promise(markup != note::Markup::Github || said.find("<!--") == std::string::npos, "no comment hides in it");
  const bool plain = std::all_of(said.begin(), said.end(), [](unsigned char c) {
    return c == '\n' || c == '\t' || (c >= ' ' && c != 0x7F);
  });
  promise(plain, "what is said holds no control characters");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  read_place(davit::fuzz::cut(text, "\n"));
  const std::string seen = note::visible(text);
  promise(note::visible(seen) == seen, "what is visible stays so");
  for (const auto markup :
       {note::Markup::Github, note::Markup::Jira, note::Markup::Sentry, note::Markup::Slack})
    say(text, markup);
  return 0;
}
