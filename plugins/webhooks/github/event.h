// What a delivery says, cut down to what decisions and agents need: a few hundred bytes of a body of ten
// thousand.
//
//   {event, action, repository {full_name, clone_url, default_branch, url}, sender {id, login, type},
//    issue {number, title, body, url, state, labels, author {id, login, type}, author_association,
//    is_pull_request}, pull_request {the same, and merged, draft, head {ref, sha, repository}, base {ref}},
//    label, comment {id, body, url, author, author_association}, review {id, state, commit, body, url, author, …},
//    run {id, name, status, conclusion, head_sha, head_branch, head_repository, url, pull_requests [77]},
//    push {ref, before, after, commits, deleted, forced}, hook {id, zen}, installation {id, account}}
//
// Members that the event has not are absent; ids are text; texts are cut to the limits of
// reading/excerpt.h, on whole characters, and then `cut` is true beside them.
#pragma once

#include <string_view>

#include "davit/webhook.hpp"

namespace github {

// `name` is what X-GitHub-Event says. That header is not signed, so it is believed only if the body has the
// shape of that event: another shape is ignored. Throws davit::Failure(InvalidInput) for a body that is no
// event at all.
davit::Parsed read_event(std::string_view name, davit::JsonView body);

// Is this one of the events read_event() knows?
bool is_known_event(std::string_view name);

}  // namespace github
