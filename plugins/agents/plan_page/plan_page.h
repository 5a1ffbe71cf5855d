// A plan as people read it on GitHub, and as the next run reads it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "work_item/work_item.h"

namespace plan_page {

// Why the document is of no use as a plan; empty: it is one.
std::string fault_of(davit::JsonView document);

// Markdown that leaves nothing of the plan out. Each text of it stands in one line and does nothing there but
// be read: it makes no heading, list, image, link, footnote, formula or HTML, mentions nobody and closes no
// issue, and nothing of it is hidden from who reads the page.
std::string page_of(const work::Plan& plan, const work::Request& request);

// The plan's file: the page, and behind it the document itself.
std::string file_of(const work::Plan& plan, const work::Request& request);
// The plan in such a file; nullopt if there is none.
std::optional<work::Plan> plan_in(std::string_view file);

// The pull request's text. It holds the plan's hash, and says where to find the whole where the page is cut.
std::string body_of(const work::Plan& plan, const work::Request& request, const std::string& path);

// The name of a file or the like as a code span; of a name with a backtick what can be shown.
std::string code(std::string_view name);

// `text` as one line, for a title or a commit; cut at `most` bytes.
std::string in_line(std::string_view text, std::size_t most = 1 << 20);
// `text` as part of a line of Markdown, all of which can be read on the page. Code between backticks stays
// code.
std::string in_page(std::string_view text, std::size_t most = 1 << 20);

// "shop-7", "tes-41": what the work is for, as part of a file's or a branch's name; from the key of the
// task's entity, or from the title where there is none.
std::string key_of(std::string_view entity, std::string_view title);

}  // namespace plan_page
