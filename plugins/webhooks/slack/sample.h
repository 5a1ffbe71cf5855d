// What the webhook may be tried with (`sample` of davit/abi/webhook.h). A mention of the app; its time stamp is that of the moment, as a second one with the same would be a repetition.
#pragma once

namespace slack {

inline constexpr char kSample[] = R"json({
  "headers": {"Content-Type": "application/json"},
  "body": {
    "type": "event_callback",
    "team_id": "T0000TEST",
    "event": {
      "type": "app_mention",
      "team": "T0000TEST",
      "channel": "C0000TEST",
      "user": "U0000TEST",
      "ts": "{timestamp}.000100",
      "text": "<@U0000DAVIT> Test event: the greeting has a typo"
    }
  }
})json";

}  // namespace slack
