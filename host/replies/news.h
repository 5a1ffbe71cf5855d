// What there is to tell the sender of a delivery, and in which words. No state, no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/model/event.h"
#include "host/store/store.h"

namespace davit::replies {

struct News {
  std::string word;      // by which it is told once: what happened to which task
  std::string sentence;  // for people, of at most kMaxSentence bytes
};

inline constexpr std::size_t kMaxSentence = 1'500;

// What has happened from `reply.since` to `reply.until` in the chains it is about and was not told yet,
// oldest first: that a task has begun, waits for approval (with what to say to approve it) or has ended. The
// end of a task that others follow is no news. That one has begun is left out while so few posts are left
// that the end might find none.
std::vector<News> news_of(const store::PendingReply& reply, const std::vector<store::TaskNews>& tasks);

// What is posted: the reply's JSON with the sentence in the place of each text "{text}".
std::string body_of(const Reply& reply, std::string_view sentence);

}  // namespace davit::replies
