#include "github_api/hooks.h"

#include "davit/failure.hpp"
#include "github_api/dates.h"

namespace github {

using davit::Failure;

std::string deliveries_path(const Hook& hook) {
  if (hook.of_app()) return "/app/hook/deliveries";
  if (hook.id <= 0) throw Failure::invalid_input("a hook of a repository or an organization has an id");
  if (!hook.repo.name.empty() && !hook.organization.empty())
    throw Failure::invalid_input("a hook is of a repository or of an organization");
  const std::string whose =
      hook.organization.empty() ? path_of(hook.repo) : "/orgs/" + segment(hook.organization);
  return whose + "/hooks/" + std::to_string(hook.id) + "/deliveries";
}

HookDelivery hook_delivery_of(davit::JsonView json) {
  const auto at = utc_date(json["delivered_at"].string_or(""));
  HookDelivery delivery{.id = json["id"].int_or(0),
                        .guid = std::string(json["guid"].string_or("")),
                        .again = json["redelivery"].bool_or(false),
                        .event = std::string(json["event"].string_or("")),
                        .action = std::string(json["action"].string_or(""))};
  if (delivery.id <= 0 || delivery.guid.empty() || !at)
    throw Failure::permanent("GitHub's answer has a delivery without id, guid or time");
  delivery.at = *at;
  const std::int64_t status = json["status_code"].int_or(0);
  if (status >= 100 && status <= 999) delivery.status = static_cast<int>(status);
  delivery.good = delivery.status >= 200 && delivery.status < 300;
  return delivery;
}

}  // namespace github
