// A review as people read it on GitHub.
#pragma once

#include "code_review/findings.h"
#include "code_review/settings.h"
#include "github_api/review.h"

namespace review {

// The worst findings that the diff shows at their lines, the others in the body, as far as there is room.
// What a model or the change says does nothing there but be read: it mentions nobody, closes no issue, is no
// HTML, image or suggestion to commit, and ends no block but its own.
github::NewReview page_of(const Review& review, const Settings& settings);

}  // namespace review
