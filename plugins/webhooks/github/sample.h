// What the webhook may be tried with (`sample` of davit/abi/webhook.h). An issue that gets the label which starts work.
#pragma once

namespace github {

inline constexpr char kSample[] = R"json({
  "headers": {"Content-Type": "application/json", "X-GitHub-Event": "issues"},
  "body": {
    "action": "labeled",
    "issue": {
      "number": 1,
      "title": "Test event: the greeting has a typo",
      "body": "The page greets with \"Helo\". This issue is a sample and does not exist.",
      "state": "open",
      "html_url": "https://github.com/octo-org/example/issues/1",
      "labels": [{"name": "AI-Fix"}],
      "user": {"login": "octocat", "id": 583231, "type": "User"},
      "author_association": "OWNER"
    },
    "label": {"name": "AI-Fix"},
    "repository": {
      "full_name": "octo-org/example",
      "clone_url": "https://github.com/octo-org/example.git",
      "html_url": "https://github.com/octo-org/example",
      "default_branch": "main"
    },
    "sender": {"login": "octocat", "id": 583231, "type": "User"}
  }
})json";

}  // namespace github
