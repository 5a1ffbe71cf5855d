// An agent with settings of its own and a book of skills.
#pragma once

#include <optional>

#include "davit/agent.hpp"
#include "skills/book.h"

namespace repository_task {

// `Settings` has from(config), which may throw davit::Failure(InvalidInput), and `shared`, an
// agent_config::Settings.
template <class Settings>
class SkilledAgent : public davit::Agent {
 public:
  void configure(const davit::Json& config) override {
    settings_ = Settings::from(config);
    book_.emplace(settings_.shared.skills);
  }

 protected:
  const Settings& settings() const { return settings_; }
  const skills::Book& book() const { return *book_; }  // once configured

 private:
  Settings settings_;
  std::optional<skills::Book> book_;
};

}  // namespace repository_task
