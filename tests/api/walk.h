// Asks a real host, holds each answer to the description, and keeps book of what was seen.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/api/description.h"
#include "tests/support/hot_host.h"

namespace davit::testing {

// Confined to one thread. What does not fit is a failure of the test, with the operation and the answer.
class Walk {
 public:
  using Words = std::vector<std::string>;
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // What a call sends beside its operation; as the admin unless it says otherwise.
  struct Call {
    Words path = {};         // what stands for each {name} of the path, in order
    std::string query = {};  // behind '?'
    std::string body = {};
    Headers headers = {};
    std::string token = "admin";  // or "reader", "none", or the token itself
    bool bad_body = false;        // it is not what the description wants, on purpose
  };

  Walk(const Description& description, HotHost& host) : description_(description), host_(host) {}

  // Calls an operation and expects this status, which has to be described, as has all of the answer. Checks the body it
  // sends, too. Gives the answer's JSON, or null if it has none.
  JsonDocument expect(int status, const std::string& operation, Call call);
  JsonDocument expect(int status, const std::string& operation) { return expect(status, operation, Call{}); }
  // The same of an answer that came another way.
  JsonDocument hold(int status, const Operation& operation, const test::RawAnswer& answer);

  HotHost& host() { return host_; }
  const Description& description() const { return description_; }
  // Headers of the last answer.
  const test::RawAnswer& last() const { return last_; }

  // What the description promises and no call has shown: statuses ("listTasks 304"), members of schemas.
  Words statuses_not_seen() const;
  Words members_not_seen() const;

  static constexpr const char* kReaderToken = "a-reader-token-for-tests-01234";

 private:
  const Description& description_;
  HotHost& host_;
  SchemaCheck schemas_{description_.document()};
  std::set<std::pair<std::string, int>> seen_;
  test::RawAnswer last_;
};

// The path of an operation with its {names} filled in, in order.
std::string filled(const std::string& path, const std::vector<std::string>& words);

}  // namespace davit::testing
