// What a confined program says to the proxy: a host and a port as they are written into a log, or a refusal,
// and the same whenever it is looked at.
#include "sandbox/connect_request.h"

#include <string>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sandbox::ConnectRequest;
  using State = ConnectRequest::State;
  using davit::fuzz::promise;
  const std::string_view bytes = davit::fuzz::as_text(data, size);
  const ConnectRequest whole = sandbox::read_connect(bytes);
  promise(whole.state != State::Bad || davit::fuzz::is_one_line(whole.why),
          "a refusal says why, in one line");
  if (whole.state == State::Good) {
    const auto& [host, port] = whole.destination;
    promise(!host.empty() && host.size() <= 253 && port != 0, "a destination is one");
    promise(host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:") == std::string::npos,
            "a host is fit for a command and a log");
    promise(host.front() != '-', "a host is no option");
    promise(whole.head_bytes <= bytes.size(), "the head lies within what came");
  }
  const ConnectRequest half = sandbox::read_connect(bytes.substr(0, size / 2));
  promise(
      half.state == State::Incomplete || (half.state == whole.state && half.destination == whole.destination),
      "what is decided stays so when more comes");
  return 0;
}
