// What the webhook may be tried with (`sample` of davit/abi/webhook.h). An issue that is created with the label which starts work.
#pragma once

namespace jira {

inline constexpr char kSample[] = R"json({
  "headers": {"Content-Type": "application/json"},
  "body": {
    "webhookEvent": "jira:issue_created",
    "issue_event_type_name": "issue_created",
    "user": {"accountId": "test-user", "accountType": "atlassian", "displayName": "Test User"},
    "issue": {
      "id": "10001",
      "key": "TEST-1",
      "self": "https://example.atlassian.net/rest/api/2/issue/10001",
      "fields": {
        "summary": "Test event: the greeting has a typo",
        "description": "The page greets with \"Helo\". This issue is a sample and does not exist.",
        "issuetype": {"name": "Bug"},
        "status": {"name": "To Do"},
        "priority": {"name": "Low"},
        "labels": ["AI-Fix"],
        "reporter": {"accountId": "test-user", "accountType": "atlassian", "displayName": "Test User"}
      }
    }
  }
})json";

}  // namespace jira
