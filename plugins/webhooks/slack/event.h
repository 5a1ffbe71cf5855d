// What a request of Slack says, cut down to what decisions and agents need.
//
//   {kind, name, delivery_id, team, channel, user, user_name, bot: true, external: true, subtype,
//   channel_type, text,
//    ts, thread_ts,
//    command: "/davit", action {id, value}, response_url, challenge}
//
// delivery_id is "mention:<team>/<channel>/<ts>", "event:<event_id>" or "trigger:<trigger_id>".
//
// kind: event (name: app_mention, message, …), command, block_actions, interaction (name: view_submission,
// …), url_verification, ssl_check. Members that the request has not are absent. `text` is what a person
// wrote, with Slack's &amp; &lt; &gt; undone, cut to the limits of reading/excerpt.h.
#pragma once

#include "davit/webhook.hpp"

namespace slack {

// A JSON body: the Events API. Throws davit::Failure(InvalidInput) naming the member that is missing or of a
// wrong type.
davit::Json read_event(davit::JsonView body);

// A form body: a slash command, an interaction (whose field `payload` is JSON), or ssl_check. Throws
// likewise.
davit::Json read_form(const davit::Form& form);

}  // namespace slack
