// What a delivery says, cut down to what decisions and agents need.
//
//   {resource, action, delivery_id, organization: "acme", installation: "<uuid>", actor {id, type, name},
//    issue {id, short_id, title, culprit, level, status, category, count, first_seen, last_seen, platform,
//    url}, project {id, slug, name}, event {id, title, message, culprit, level, environment, release,
//    platform, time, tags {…}, exceptions […],
//           url},
//    alert {rule}, metric_alert {id, title, rule, description, projects, url}, comment {id, text}}
//
// Members that the delivery has not are absent; ids are text; `exceptions` as in stacktrace.h. delivery_id is
// what a delivery is told from its repetition by, see delivery_id_of().
#pragma once

#include <string_view>

#include "davit/webhook.hpp"

namespace sentry {

// Resources that read_event() knows.
bool is_known_resource(std::string_view name);

// `resource` is what Sentry-Hook-Resource says, `request_id` what Request-ID says ("" if it is no id).
// Neither is signed: the resource is believed only if the body has its shape, else the delivery is ignored.
// Throws davit::Failure(InvalidInput) naming the member that is missing or of a wrong type.
davit::Parsed read_event(std::string_view resource, davit::JsonView body, std::string_view request_id);

}  // namespace sentry
