// FT-31: the host is killed at each step of a chain of agents. What they leave at GitHub and in the
// repository is the same as if it had never been, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "tests/faults/lane.h"
#include "tests/integration/agents_chain/agents_host.h"

namespace davit::faults {
namespace {

using testing::AgentsHost;
using ::testing::Contains;
using ::testing::Not;

// When the host is killed: as a request to GitHub or to git comes, or as somebody sees that a task of the
// chain has changed; which of them, from 1 on.
struct Steps {
  int requests = 0, changes = 0;
};
struct Points {
  std::set<int> requests, changes;
};

// What must not depend on it.
struct Left {
  std::vector<std::string> states, commits, comments, reviews, pulls;
  std::string tree;

  bool operator==(const Left&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Left& left) {
  const auto list = [&](const char* name, const std::vector<std::string>& lines) {
    out << name << ":\n";
    for (const std::string& line : lines) out << "  " << line << "\n";
  };
  list("states", left.states);
  list("commits", left.commits);
  list("comments", left.comments);
  list("reviews", left.reviews);
  list("pull requests", left.pulls);
  return out << "tree " << left.tree << "\n";
}

// Without ids and hashes, which are each run's own.
std::string plain(const std::string& text) {
  static const std::regex kIds("[0-9a-f]{8,}(-[0-9a-f]{4,})*|127\\.0\\.0\\.1:[0-9]+");
  return std::regex_replace(text, kIds, "#");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Whether agents are shown what was said before: who does not see that says it again.
enum class Sight { Whole, Blind };

// One chain from the delivery to its end, in a davit of its own.
class KilledChain {
 public:
  explicit KilledChain(Points points, Sight sight = Sight::Whole) : points_(std::move(points)) {
    if (sight == Sight::Blind) {
      testing::Fault nothing;
      nothing.status = 200;
      nothing.body = "[]";
      at_.github.fail("GET", "/repos/acme/shop/issues/1/comments", nothing, 1000);
    }
    const auto count = [this] {
      if (points_.requests.contains(++requests_)) kill();
    };
    at_.github.on_request = count;
    at_.repositories.before = [count](const testing::Asked&, testing::Wire&) {
      count();
      return false;
    };
  }

  Left run() {
    at_.start();
    pid_ = at_.davit.pid();
    const std::string root = at_.label_issue();
    EXPECT_NE(root, "") << at_.said;
    Json first;
    const bool ended = testing::comes(
        [&] {
          if (killed_) begin_anew();
          first = at_.task(root);
          paid_ = std::max(paid_, first["chain_cost_usd"].number_or(0));
          see(first);
          if (const auto waiting = at_.what_waits(first)) at_.approve(*waiting);
          return at_.has_ended(first) && !killed_;
        },
        std::chrono::seconds(240));
    EXPECT_TRUE(ended) << "the chain did not end: " << first.dump() << "\n" << at_.davit.log();
    check_costs(first);
    EXPECT_TRUE(at_.davit.stop());
    return left(first);
  }

  Steps steps() const { return {requests_, changes_}; }
  int kills() const { return kills_; }

 private:
  using Json = davit::Json;

  void kill() {
    killed_ = true;
    ::kill(pid_, SIGKILL);
  }

  void begin_anew() {
    at_.davit.kill();
    hear_what_was_told();
    ++kills_;
    killed_ = false;
    EXPECT_TRUE(at_.davit.start()) << at_.davit.log();
    pid_ = at_.davit.pid();
  }

  void see(const Json& first) {
    std::vector<std::string> states = AgentsHost::states(first);
    if (states.empty() || states == seen_) return;
    seen_ = std::move(states);
    if (points_.changes.contains(++changes_)) kill();
  }

  // What the executions that were killed with their host had told of their cost: as their runners wrote it
  // down, whether or not it came into the books.
  void hear_what_was_told() {
    std::error_code gone;
    for (std::filesystem::recursive_directory_iterator entry(at_.davit.folder(), gone), end; !gone && entry != end;
         entry.increment(gone)) {
      if (entry->path().extension() != ".usage") continue;
      std::ifstream stream(entry->path());
      std::vector<double> figures;
      for (std::string line; std::getline(stream, line) && !stream.eof();) {
        std::istringstream words(line);
        figures.assign(std::istream_iterator<double>(words), {});
      }
      if (figures.size() == 6) told_[entry->path().stem().string()] = figures[4] / 1e6;
    }
  }

  // What was in the books stays there through all kills, and so does what was told and was not there yet;
  // nothing is counted twice.
  void check_costs(const Json& first) {
    for (const davit::JsonView link : first["chain"]) {
      const Json task = at_.task(std::string(link["task_id"].string_or("")));
      for (const davit::JsonView execution : task["agent_executions"]) {
        const auto told = told_.find(std::string(execution["session_id"].string_or("")));
        if (told == told_.end()) continue;
        EXPECT_GE(execution["total_cost_usd"].number_or(0), told->second - 1e-6) << execution.dump();
        ++found_;
      }
    }
    EXPECT_EQ(found_, told_.size()) << "an execution is missing";
    EXPECT_NEAR(first["chain_cost_usd"].number_or(0), at_.cost_of_executions(first), 1e-6);
    constexpr double kLeast = AgentsHost::kPlanUsd + AgentsHost::kExecuteUsd + AgentsHost::kReviewUsd;
    EXPECT_GE(first["chain_cost_usd"].number_or(0), (kills_ == 0 ? kLeast : paid_) - 1e-6);
  }

  Left left(const Json& first) {
    Left left;
    left.states = AgentsHost::states(first);
    const std::string branch = at_.branch();
    if (branch.empty()) return left;
    left.commits = lines_of(at_.git({"log", "--format=%an <%ae> %s", "main.." + branch}));
    left.tree = at_.git({"rev-parse", branch + "^{tree}"});
    for (int number = 1; number <= 1 + static_cast<int>(at_.github.pulls()); ++number) {
      for (const std::string& comment : at_.github.comments(number))
        left.comments.push_back(std::to_string(number) + ": " + plain(comment));
      if (number == 1) continue;
      const Json pull = at_.github.pull(number);
      left.pulls.push_back(plain(std::string(pull["title"].string_or("")) +
                                 (pull["draft"].bool_or(false) ? " (draft)" : "") + "\n" +
                                 std::string(pull["body"].string_or(""))));
      for (const Json& review : at_.github.reviews(number))
        left.reviews.push_back(plain(std::string(review["body"].string_or(""))));
    }
    return left;
  }

  const Points points_;
  std::atomic<int> requests_{0};
  std::atomic<bool> killed_{false};
  std::atomic<int> pid_{0};
  int changes_ = 0, kills_ = 0;
  double paid_ = 0;  // the most that the books had
  std::map<std::string, double> told_;  // US dollars by session
  std::size_t found_ = 0;
  std::vector<std::string> seen_;
  AgentsHost at_;  // the last: its servers' threads use the rest
};

// Runs them all, a few at a time: they mostly wait.
template <class Work>
void side_by_side(std::size_t count, std::size_t threads, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < std::min(threads, count); ++i) {
    all.emplace_back([&] {
      for (std::size_t mine = next++; mine < count; mine = next++) work(mine);
    });
  }
  for (std::thread& thread : all) thread.join();
}

// Each step alone in the long lane; a few of them in the quick one, several to a chain.
std::vector<Points> points_of(const Steps& steps, Luck& luck) {
  std::vector<Points> all;
  if (in_long_lane()) {
    for (int i = 1; i <= steps.requests; ++i) all.push_back({.requests = {i}, .changes = {}});
    for (int i = 1; i <= steps.changes; ++i) all.push_back({.requests = {}, .changes = {i}});
    return all;
  }
  constexpr int kChains = 4;
  for (int chain = 0; chain < kChains; ++chain) {
    Points points;
    for (int third = 0; third < 3; ++third) {
      const auto part = [&](int of) {
        return luck.between(of * third / 3 + 1, std::max(of * (third + 1) / 3, of * third / 3 + 1));
      };
      if ((chain + third) % 4 == 3)
        points.changes.insert(part(steps.changes));
      else
        points.requests.insert(part(steps.requests));
    }
    all.push_back(std::move(points));
  }
  return all;
}

std::string name_of(const Points& points) {
  std::string name;
  for (const int request : points.requests) name += " request " + std::to_string(request);
  for (const int change : points.changes) name += " change " + std::to_string(change);
  return "killed at" + name;
}

TEST(AgentsKillTest, WhatAChainLeavesIsTheSameOnceWhereverTheHostIsKilled) {
  Luck luck;
  KilledChain quiet({});
  const Left wanted = quiet.run();
  ASSERT_FALSE(HasFailure());
  const std::vector<Points> points = points_of(quiet.steps(), luck);
  std::cout << quiet.steps().requests << " requests, " << quiet.steps().changes << " changes" << std::endl;
  std::atomic<int> kills{0};
  side_by_side(points.size() + 1, 5, [&](std::size_t i) {
    if (i == points.size()) {
      EXPECT_FALSE(KilledChain({}, Sight::Blind).run() == wanted)
          << "this test would not notice two comments";
      return;
    }
    SCOPED_TRACE(name_of(points[i]));
    KilledChain chain(points[i]);
    EXPECT_EQ(chain.run(), wanted);
    kills += chain.kills();
  });
  EXPECT_GE(kills, static_cast<int>(points.size())) << "some chain was never killed";
  std::cout << points.size() << " chains, " << kills << " kills" << std::endl;
}

}  // namespace
}  // namespace davit::faults
