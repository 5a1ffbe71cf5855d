#include "host/store/migrations.h"

#include <iterator>

#include "host/store/schema.h"

namespace davit::store {

std::span<const Migration> migrations() { return kSchema; }

Result<> migrate(Database& database, const std::filesystem::path& path, std::span<const Migration> steps,
                 Log& log) {
  const std::int64_t reached = database.integer("PRAGMA user_version");
  TRY(database.check());
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (reached < 0) {
    return Error{ErrorCode::InvalidInput,
                 path.string() + ": has schema " + std::to_string(reached) + ", which no davit writes"};
  }
  if (reached >= newest) return {};
  if (reached > 0) {
    std::filesystem::path copy = path.string() + ".before-v" + std::to_string(newest);
    for (int number = 2; std::filesystem::exists(std::filesystem::symlink_status(copy)); ++number) {
      copy = path.string() + ".before-v" + std::to_string(newest) + "-" + std::to_string(number);
    }
    TRY(copy_database(database, copy));
    log.info("Database copied before its schema is changed", {{"copy", copy.string()}, {"from", reached}});
  }
  for (const Migration& step : steps.subspan(static_cast<std::size_t>(reached))) {
    database.begin();
    database.execute(std::string(step.sql).c_str());
    database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    database.execute(("PRAGMA user_version = " + std::to_string(step.version)).c_str());
    if (!database.failed()) database.commit();
    if (Result<> done = database.check(); !done.ok()) {
      database.rollback();
      return at("schema step " + std::string(step.name), done.error());
    }
    log.info("Schema step applied", {{"step", step.name}});
  }
  return {};
}

}  // namespace davit::store
