// What the webhook may be tried with (`sample` of davit/abi/webhook.h). A new issue; its id is that of the moment, as a second one with the same id would be a repetition.
#pragma once

namespace sentry {

inline constexpr char kSample[] = R"json({
  "headers": {"Content-Type": "application/json", "Sentry-Hook-Resource": "issue"},
  "body": {
    "action": "created",
    "installation": {"uuid": "00000000-0000-4000-8000-000000000000"},
    "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    "data": {
      "issue": {
        "id": "{timestamp}",
        "shortId": "EXAMPLE-1",
        "title": "Test event: TypeError: greeting is undefined",
        "culprit": "greet(greeting.js)",
        "level": "error",
        "status": "unresolved",
        "issueCategory": "error",
        "platform": "javascript",
        "count": "1",
        "web_url": "https://sentry.io/organizations/example/issues/{timestamp}/",
        "project": {"id": "1", "slug": "example", "name": "Example"}
      }
    }
  }
})json";

}  // namespace sentry
