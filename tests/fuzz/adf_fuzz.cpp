// Documents of Jira in any shape become text that is bounded and whole. Input: the document as JSON.
#include "plugins/webhooks/jira/adf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  davit::Json document;
  try {
    document = davit::Json::parse(davit::fuzz::as_text(data, size));
  } catch (const davit::Failure&) {
    return 0;
  }
  for (const std::size_t limit : {std::size_t{0}, std::size_t{10}, std::size_t{4096}}) {
    const jira::AdfText read = jira::text_of_adf(document, limit);
    promise(read.text.size() <= limit + 256, "a text ends near its limit");
    promise(davit::is_utf8(read.text), "a text is cut on a whole character");
    promise(jira::text_of_adf(document, limit).text == read.text, "the same document is the same text");
  }
  return 0;
}
