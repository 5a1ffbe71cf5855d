// The file of calls that a host before this one left; it may have died while it wrote. The input is the file,
// and once more the notes in one that a host made, so that the reader gets past the head.
#include "host/plugin/breadcrumb.h"

#include <unistd.h>

#include <string>

#include "host/base/file.h"
#include "host/base/json.h"
#include "tests/fuzz/bytes_as_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using davit::plugin::BreadcrumbFile;

constexpr std::size_t kHeadBytes = 16;

std::size_t calls_in(std::string_view bytes) {
  const auto calls = BreadcrumbFile::left_behind(davit::fuzz::BytesAsFile(bytes).path());
  promise(calls.size() <= 128, "there are at most as many calls as places");
  for (const auto& call : calls) {
    promise(call.plugin.size() <= 64 && call.sha256.size() <= 64 && call.call.size() <= 24 &&
                call.request_id.size() <= 40,
            "a note stays within its place");
    promise(davit::is_utf8(davit::json_quote(call.plugin)), "a note can be shown");
    promise(!davit::to_iso8601(call.began_at).empty(), "its time can be shown");
  }
  return calls.size();
}

// As a host leaves it that died in a call.
std::string file_of_a_host() {
  char path[] = "/tmp/davit-fuzz-XXXXXX";
  const davit::UniqueFd made(::mkstemp(path));
  const davit::SystemClock clock;
  auto trail = BreadcrumbFile::open(path, clock);
  promise(trail.ok(), "a file can be made");
  (*trail)->enter({"github", "sha", "handle", "request"});
  const auto bytes = davit::read_file(path);
  ::unlink(path);
  promise(bytes.ok() && calls_in(*bytes) == 1, "the call is found");
  return *bytes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = davit::fuzz::as_text(data, size);
  calls_in(bytes);
  static const std::string whole = file_of_a_host();  // the same for every input
  const std::string_view notes = bytes.substr(0, whole.size() - kHeadBytes);
  calls_in(std::string(whole).replace(kHeadBytes, notes.size(), notes));
  return 0;
}
