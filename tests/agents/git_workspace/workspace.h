// A server, a folder for mirrors and one for sessions.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "davit/failure.hpp"
#include "git_workspace/mirrors.h"
#include "git_workspace/session.h"
#include "tests/agents/git_workspace/git_server.h"

namespace davit::testing {

class WorkspaceTest : public ::testing::Test {
 protected:
  WorkspaceTest() {
    std::filesystem::create_directories(state());
    std::filesystem::create_directories(workspace());
    settings_.state_folder = state();
    settings_.hosts = {server_.host()};
  }

  std::filesystem::path state() const { return server_.folder() / "state"; }
  std::filesystem::path workspace() const { return server_.folder() / "workspace"; }
  git::Mirrors mirrors() const { return git::Mirrors(settings_, cancelled_); }
  git::Token token() const {
    return [this] { return token_; };
  }
  git::Mirror fetch(const std::string& name = "acme/shop") const {
    git::Mirrors mirrors = this->mirrors();
    return mirrors.fetch(mirrors.remote_at(server_.url(name)), token());
  }

  static std::string content_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  static void put(const std::filesystem::path& file, const std::string& content) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }
  // What `act` throws; a test that gets nothing fails.
  template <typename Act>
  static Failure failure_of(Act act) {
    try {
      act();
    } catch (const Failure& failure) {
      return failure;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Failure::internal("nothing was thrown");
  }

  GitServer server_;
  git::Settings settings_;
  git::Cancel cancelled_;
  std::string token_;
};

}  // namespace davit::testing
