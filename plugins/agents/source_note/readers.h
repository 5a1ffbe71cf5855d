// Who may read what is told: an issue of one repository is no place for what is known of another one.
#pragma once

#include <string>
#include <string_view>

#include "github_api/api.h"
#include "source_note/place.h"

namespace note {

// `text`, which is about work on `worked_on`, as it may be told at `place`: the text itself, or no more than
// the id of the task, where the place is GitHub's, of another repository, and `worked_on` is private or
// cannot be seen with `api` (which is asked in that case alone). Whoever made one repository depend on
// another has given nobody the right to read there. Throws nothing.
std::string for_readers(const Place& place, const github::Repo& worked_on, github::Api& api, std::string text,
                        std::string_view task_id);

}  // namespace note
