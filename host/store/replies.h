// Replies that senders wait for. They live for minutes and are few: each is a setting of its own, named by
// its delivery, which no list, page or API shows, since the address in it is a secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/database.h"
#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

// Takes them all out of a copy.
inline constexpr const char* kDropReplies =
    "PRAGMA secure_delete = ON; DELETE FROM setting WHERE name >= 'reply:' AND name < 'reply;'";

// Inside the writer's transaction. What they delete is overwritten in the database's pages; in its log it
// stays until that is written anew.
void keep_reply(Database& database, const PendingReply& reply);
void forget_reply(Database& database, std::string_view delivery_id);

std::vector<PendingReply> read_replies(Reader& reader);
std::optional<PendingReply> read_reply(Reader& reader, std::string_view delivery_id);
std::string read_chain_of(Reader& reader, std::string_view task_id);
std::vector<TaskNews> read_chain_news(Reader& reader, std::string_view first_task_id);

}  // namespace davit::store
