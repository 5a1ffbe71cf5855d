#include "executor/approval.h"

#include <algorithm>

#include "plan_page/plan_page.h"

namespace executor {
namespace {

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<work::Approved> approval_of(const davit::AgentContext& context, const work::Item& item) {
  if (!item.plan) return std::nullopt;
  if (const auto& by = context.approval; by && is_hash(by->content_hash)) {
    return work::Approved{item.plan->sha256, std::string(by->by), std::string(by->actor_id),
                          std::string(by->way), std::string(by->content_hash)};
  }
  if (item.approved && is_hash(item.approved->content_hash)) return item.approved;
  return std::nullopt;
}

void check_bound(const work::Item& item, const work::Approved& approved) {
  if (approved.plan_sha256 != item.plan->sha256)
    throw Void("what was approved is plan " + approved.plan_sha256.substr(0, 12) + ", and this is plan " +
               item.plan->sha256.substr(0, 12));
  if (item.source_sha256 != work::sha256_of(item.request))
    throw Void("the request is not the one that was planned");
}

void check_pull_text(const work::Plan& plan, const std::string& body) {
  if (body.find(plan.sha256) == std::string::npos)
    throw Void("the pull request does not speak of this plan (" + plan.sha256.substr(0, 12) + ")");
}

void check_plan_file(const work::Plan& plan, const work::Request& heading,
                     const std::optional<std::string>& file) {
  if (file != plan_page::file_of(plan, heading))
    throw Void("the plan in the branch of the pull request was changed after it had been made");
}

void check_source(const work::Item& item, const std::string& title, const std::string& text) {
  if (work::sha256_of({.source = item.request.source, .title = title, .text = text}) != item.source_sha256)
    throw Void("what was asked for was edited after it had been planned");
}

}  // namespace executor
