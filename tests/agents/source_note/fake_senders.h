// Jira, Sentry and Slack of this machine, as far as notes need them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "davit/json.hpp"
#include "tests/agents/http_client/loopback_server.h"

namespace davit::testing {

struct FakeComment {
  std::string id, author, text;
};

// What the three have in common: comments of one place, in their order, and requests that fail.
class FakeSender {
 public:
  explicit FakeSender(std::string authorization);
  virtual ~FakeSender() = default;

  std::string url() const { return server_.url(""); }
  void add(const std::string& author, const std::string& text);
  void remove_all();
  std::vector<std::string> texts();
  std::vector<Asked> seen() const { return server_.seen(); }
  // The next request of that method is answered with it; done all the same where `done`.
  void fail(const std::string& method, int status, bool done = false);
  // All requests, until it is 0.
  void refuse(int status);

 protected:
  struct Answer {
    int status = 200;
    Json json = {};
  };
  // Under the lock; `body` is null where there was none.
  virtual Answer answer(const Asked& asked, const Json& body) = 0;
  FakeComment* find(const std::string& id);
  FakeComment& make(const std::string& author, const std::string& text);

  static constexpr const char* kDavit = "davit";  // our own account
  std::vector<FakeComment> comments_;

 private:
  void serve(const Asked& asked, Wire& wire);

  std::mutex mutex_;
  std::string authorization_;
  std::vector<std::pair<std::string, std::pair<int, bool>>> faults_;
  int refuses_ = 0;
  int next_ = 100;
  LoopbackServer server_;  // the last: its threads use the rest
};

class FakeJira : public FakeSender {
 public:
  using FakeSender::FakeSender;

 protected:
  Answer answer(const Asked& asked, const Json& body) override;
};

class FakeSentry : public FakeSender {
 public:
  using FakeSender::FakeSender;

 protected:
  Answer answer(const Asked& asked, const Json& body) override;
};

class FakeSlack : public FakeSender {
 public:
  using FakeSender::FakeSender;
  void forbid_reading() { may_read_ = false; }

 protected:
  Answer answer(const Asked& asked, const Json& body) override;

 private:
  bool may_read_ = true;
};

}  // namespace davit::testing
