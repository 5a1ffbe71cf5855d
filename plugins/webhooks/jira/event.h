// What a delivery says, cut down to what decisions and agents need.
//
//   {event: issue_created | issue_updated | issue_deleted | comment_created | comment_updated |
//   comment_deleted,
//    type: "issue_commented", cloud: true, site: "acme.atlassian.net",
//    user {id, name, display_name, type: atlassian | app | customer},
//    issue {key, id, project, type, status, done: true, priority, summary, description, labels [], url,
//    reporter}, changes {labels_added [], description_before}, comment {id, body, edited: true, author {…}}}
//
// `user` is who caused it. Members that the event has not are absent; ids are text; descriptions and comments
// are text, whether they came as text or as a document (adf.h), cut to the limits of reading/excerpt.h.
#pragma once

#include <string>

#include "davit/webhook.hpp"

namespace jira {

// Events that are none of ours are ignored; so is a comment that does not say what it is about. Throws
// davit::Failure(InvalidInput) naming the member that is missing or of a wrong type.
davit::Parsed read_event(davit::JsonView body);

// "acme.atlassian.net", "jira.example.com:8080/jira": an issue's own address up to "/rest/", without scheme.
// Throws likewise for anything that is no such address.
std::string site_of(std::string_view self);

}  // namespace jira
