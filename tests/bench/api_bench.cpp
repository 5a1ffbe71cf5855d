// What the API costs beside ingest, with years of tasks behind it: bench_api [--tasks N] [--seconds N]
// [--perf FILE]
//
// A database holds N tasks of 400 days with 2.5 executions each. The real host on it is asked what its
// dashboard asks, in many ways, while 500 signed deliveries a second come in; between two questions they come
// alone. Before that its answers are held against what is known of the rows.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include "host/base/clock.h"
#include "host/store/cursor.h"
#include "tests/bench/arguments.h"
#include "tests/bench/deliveries.h"
#include "tests/bench/history.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/integration/raw_client.h"

namespace {

using namespace davit;
using namespace davit::bench;

constexpr int kDays = 400;
constexpr double kDeliveriesPerSecond = 500;
constexpr double kQuestionsPerSecond = 50;
constexpr const char* kEndless = "start_date=2000-01-01T00:00:00Z";

struct Host {
  Folder folder;
  HistoryFacts facts;
  std::unique_ptr<Program> program;
  std::string token;

  explicit Host(int tasks) {
    std::filesystem::copy_file(DAVIT_BUILD_DIR "/plugins/github.so", folder.path() / "plugins/github.so");
    std::ofstream(folder.path() / "davit.yaml")
        << "server: {host: 127.0.0.1, port: 0}\n"
        << "storage: {path: " << database().string() << ", retention_days: 3650}\n"
        << "plugins: {directory: " << (folder.path() / "plugins").string()
        << ", store: " << (folder.path() / "plugin-store").string() << ", settle: 0}\n"
        << "metrics: {public: true}\n"
        << "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, rate: 0, config: "
           "{agent: "
           "nobody}}\n";
    start();  // makes the tables
    program->stop();
    facts = fill_history(database(), tasks, kDays);
    if (tasks <= 10'000) verify();
    start();
  }
  std::filesystem::path database() const { return folder.path() / "davit.db"; }

  void start() {
    program = std::make_unique<Program>(
        std::vector<std::string>{DAVIT_BUILD_DIR "/bin/davit", "serve", config(), "--ready-fd={ready}"},
        folder.path() / "log",
        std::map<std::string, std::string>{{"GITHUB_WEBHOOK_SECRET", kDeliverySecret}});
    std::ifstream(folder.path() / "admin.token") >> token;
  }
  // The host's own look at its books.
  void verify() const {
    const std::string command = DAVIT_BUILD_DIR "/bin/davit verify-store " + config() + " >&2";
    if (std::system(command.c_str()) != 0) give_up("davit verify-store finds fault with the rows");
  }
  std::string config() const { return "--config=" + (folder.path() / "davit.yaml").string(); }
  std::string request(const std::string& target) const {
    return "GET " + target +
           " HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nAuthorization: Bearer " + token +
           "\r\n\r\n";
  }
  JsonDocument answer(const std::string& target) const {
    test::RawClient client(program->port());
    client.send(request(target));
    const test::RawAnswer answer = client.read_answer();
    auto body = parse_json(answer.body);
    if (answer.status != 200 || !body)
      give_up(target + " is answered " + std::to_string(answer.status) + " " + answer.body);
    return std::move(*body);
  }
};

// ---- are the answers true?

void expect(bool right, const std::string& what) {
  if (!right) give_up("wrong answer: " + what);
}
void expect_equal(double is, double should, const std::string& what) {
  expect(std::abs(is - should) <= 1e-6 * std::max(1.0, std::abs(should)),
         what + " is " + std::to_string(is) + ", not " + std::to_string(should));
}

// How many tasks a filter lets through, page by page; no more than `most` are asked for.
std::int64_t count_tasks(const Host& host, const std::string& filter, std::int64_t most) {
  std::int64_t count = 0;
  std::string before = "g", cursor;
  do {
    const JsonDocument page =
        host.answer("/api/dashboard/tasks?limit=500" + filter + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const JsonValue& task : page["tasks"].GetArray()) {
      const std::string id = task["task_id"].GetString();
      expect(id < before, "the order of tasks" + filter);
      before = id;
      ++count;
    }
    cursor = page["next_cursor"].IsString() ? page["next_cursor"].GetString() : "";
  } while (!cursor.empty() && count < most);
  return count;
}

void check_lists(const Host& host) {
  const std::int64_t most = 5'000;
  const auto expect_count = [&](const std::string& filter, std::int64_t should) {
    const std::int64_t count = count_tasks(host, filter, most);
    expect(count == should || (should > most && count >= most),
           "tasks with" + filter + ": " + std::to_string(count) + ", not " + std::to_string(should));
  };
  expect_count("", host.facts.tasks);
  for (const auto& [status, count] : host.facts.tasks_by_status) expect_count("&status=" + status, count);
  for (const auto& [agent, count] : host.facts.tasks_by_agent) expect_count("&agent=" + agent, count);
  for (const auto& [agent, count] : host.facts.completed_by_agent)
    expect_count("&status=completed&agent=" + agent, count);
}

void check_details(const Host& host) {
  for (const TaskFacts& should : host.facts.some_tasks) {
    const JsonDocument task = host.answer("/api/dashboard/tasks/" + should.id);
    expect(task["agent_executions"].Size() == static_cast<unsigned>(should.executions),
           "executions of " + should.id);
    expect_equal(task["total_cost_usd"].GetDouble(), static_cast<double>(should.cost_micro_usd) / 1e6,
                 "cost of " + should.id);
  }
}

void check_costs(const Host& host) {
  const std::pair<const char*, const std::map<std::string, GroupFacts>*> kGroups[] = {
      {"agent", &host.facts.by_agent},
      {"source", &host.facts.by_source},
      {"model", &host.facts.by_model},
      {"task_type", &host.facts.by_type},
      {"day", &host.facts.by_day}};
  for (const auto& [name, groups] : kGroups) {
    const JsonDocument costs =
        host.answer(std::string("/api/dashboard/cost-breakdown?group_by=") + name + "&" + kEndless);
    expect(costs["costs"].Size() == groups->size(), std::string("groups by ") + name);
    for (const JsonValue& line : costs["costs"].GetArray()) {
      const GroupFacts& should = groups->at(line["group"].GetString());
      const std::string what = std::string(name) + " " + line["group"].GetString();
      expect(line["executions"].GetInt64() == should.executions, "executions of " + what);
      expect(line["total_tokens"].GetInt64() == should.tokens, "tokens of " + what);
      expect_equal(line["total_cost_usd"].GetDouble(), static_cast<double>(should.cost_micro_usd) / 1e6,
                   "cost of " + what);
    }
    expect_equal(costs["total_cost_usd"].GetDouble(), static_cast<double>(host.facts.cost_micro_usd) / 1e6,
                 "all costs");
  }
  const JsonDocument stats = host.answer("/api/dashboard/agent-stats");
  for (const JsonValue& agent : stats["stats"].GetArray())
    expect(agent["executions"].GetInt64() == host.facts.by_agent.at(agent["agent"].GetString()).executions,
           "executions of an agent");
}

void check_chains(const Host& host) {
  const JsonDocument answer = host.answer(std::string("/api/dashboard/agent-chain-analytics?") + kEndless);
  const JsonValue& patterns = answer["chain_patterns"];
  expect(patterns.MemberCount() == host.facts.chains.size(), "patterns of chains");
  for (const auto& [agents, should] : host.facts.chains) {
    expect(patterns.HasMember(agents.c_str()), agents);
    const JsonValue& is = patterns[agents.c_str()];
    expect(is["count"].GetInt64() == should.count, "count of " + agents);
    const double count = static_cast<double>(should.count);
    expect_equal(is["success_rate"].GetDouble(), static_cast<double>(should.succeeded) / count,
                 "success of " + agents);
    expect_equal(is["total_cost_usd"].GetDouble(), static_cast<double>(should.cost_micro_usd) / 1e6,
                 "cost of " + agents);
    expect_equal(is["avg_duration"].GetDouble(), static_cast<double>(should.duration_ms) / 1e3 / count,
                 "duration of " + agents);
  }
}

void check_overview(const Host& host) {
  const JsonDocument overview = host.answer("/api/dashboard/overview");
  const auto since = parse_iso8601(overview["since"].GetString());
  if (!since) give_up("overview has no time");
  const auto& made = host.facts.made_at;
  const auto first = std::lower_bound(made.begin(), made.end(), to_unix_ms(*since));
  expect(overview["total_tasks"].GetInt64() == made.end() - first, "tasks of 30 days");
}

// ---- what is asked

struct Endpoint {
  const char* name;
  double target_ms;
  std::function<std::string(int)> target;  // of the n-th request
};

template <typename Container>
const auto& nth(const Container& all, int number) {
  return all[static_cast<std::size_t>(number) * 7919 % all.size()];
}

std::string iso_date(const HistoryFacts& facts, int number) {
  const std::int64_t at = nth(facts.made_at, number * 31);
  return to_iso8601(from_unix_ms(at)).substr(0, 10) + "T00:00:00Z";
}

std::vector<Endpoint> endpoints(const Host& host, const std::vector<std::string>& cursors) {
  static const std::vector<std::string> kAgents = {"discovery-agent",   "planning-agent", "executor-agent",
                                                   "code-review-agent", "cicd-agent",     "command-agent"};
  static const std::vector<std::string> kStatuses = {"queued", "awaiting_approval", "completed",
                                                     "failed", "cancelled",         "parked"};
  static const std::vector<std::string> kSources = {"github", "jira", "sentry", "slack", "chain"};
  static const std::vector<std::string> kGroups = {"agent", "day", "task_type", "model", "source"};
  static const std::vector<std::string> kWords = {
      "crash", "invoice", "cache", "timeout of chart", "backup retry", "nothing-has-this-word"};
  const HistoryFacts& facts = host.facts;
  const std::string list = "/api/dashboard/tasks?limit=50", costs = "/api/dashboard/cost-breakdown?group_by=",
                    chains = "/api/dashboard/agent-chain-analytics";
  return {
      {"tasks, newest", 5, [=](int) { return list; }},
      {"tasks of an agent", 5, [=](int n) { return list + "&agent=" + nth(kAgents, n); }},
      {"tasks of a status", 5, [=](int n) { return list + "&status=" + nth(kStatuses, n); }},
      {"tasks of agent, status and source", 5,
       [=](int n) {
         return list + "&agent=" + nth(kAgents, n) + "&status=" + nth(kStatuses, n / 6) +
                "&source=" + nth(kSources, n / 2);
       }},
      {"tasks of some days", 5,
       [=, &facts](int n) { return list + "&end_date=" + iso_date(facts, n) + "&agent=" + nth(kAgents, n); }},
      {"tasks, a page deep in", 5, [=, &cursors](int n) { return list + "&cursor=" + nth(cursors, n); }},
      {"tasks of an entity, of a link", 5,
       [=, &facts](int n) {
         const std::string text = n % 2 == 0 ? nth(facts.some_entities, n) : nth(facts.some_links, n);
         std::string escaped;
         for (const char c : text)
           escaped += c == '#' ? "%23" : c == ':' ? "%3A" : c == '/' ? "%2F" : std::string(1, c);
         return list + (n % 2 == 0 ? "&entity=" : "&link=") + escaped;
       }},
      {"tasks, words searched for", 5,
       [=](int n) {
         std::string word = nth(kWords, n);
         for (std::size_t at; (at = word.find(' ')) != std::string::npos;) word.replace(at, 1, "%20");
         return list + "&q=" + word;
       }},
      {"task", 5, [=, &facts](int n) { return "/api/dashboard/tasks/" + nth(facts.some_tasks, n).id; }},
      {"transcript", 5,
       [=, &facts](int n) { return "/api/dashboard/tasks/" + nth(facts.some_tasks, n).id + "/transcript"; }},
      {"deliveries", 5,
       [=](int n) {
         return "/api/dashboard/deliveries?limit=50" +
                std::string(n % 2 == 0 ? "" : "&webhook=" + nth(kSources, n % 4));
       }},
      {"delivery", 5,
       [=, &facts](int n) { return "/api/dashboard/deliveries/" + nth(facts.some_deliveries, n); }},
      {"agents, webhooks, plugins", 5,
       [=](int n) {
         return std::string(n % 3 == 0   ? "/api/dashboard/agents"
                            : n % 3 == 1 ? "/api/dashboard/webhooks"
                                         : "/api/dashboard/plugins");
       }},
      {"agent stats, all", 50, [=](int) { return std::string("/api/dashboard/agent-stats"); }},
      {"agent stats, one", 50, [=](int n) { return "/api/dashboard/agent-stats?agent=" + nth(kAgents, n); }},
      {"costs of 30 days", 50, [=](int n) { return costs + nth(kGroups, n); }},
      {"costs since some day, of an agent or all", 50,
       [=, &facts](int n) {
         return costs + nth(kGroups, n) + "&start_date=" + iso_date(facts, n) +
                (n % 2 == 0 ? "" : "&agent=" + nth(kAgents, n));
       }},
      {"costs of all days", 50, [=](int n) { return costs + nth(kGroups, n) + "&" + kEndless; }},
      {"chains of 30 days, of an agent or all", 50,
       [=](int n) { return chains + (n % 2 == 0 ? "" : "?agent=" + nth(kAgents, n)); }},
      {"chains since some day, all days", 50,
       [=, &facts](int n) {
         return chains + "?" + (n % 2 == 0 ? kEndless : "start_date=" + iso_date(facts, n));
       }},
      {"series by day or hour", 50,
       [=](int n) {
         static const std::vector<std::string> kSeries = {"executions&bucket=day", "tasks&bucket=hour", "cost&bucket=hour",
                                                          "tasks&bucket=day"};
         return "/api/dashboard/series?metric=" + nth(kSeries, n) + (n % 2 == 0 ? "" : "&agent=" + nth(kAgents, n));
       }},
      {"queue over time", 50,
       [=](int n) {
         static const std::vector<std::string> kBuckets = {"minute", "ten_minutes", "hour", "day"};
         return "/api/dashboard/queue-series?bucket=" + nth(kBuckets, n) + (n % 2 == 0 ? "" : "&agent=" + nth(kAgents, n));
       }},
      {"overview", 50, [=](int) { return std::string("/api/dashboard/overview"); }},
  };
}

// Cursors of pages from all depths: what follows a task's number.
std::vector<std::string> deep_cursors(const Host& host) {
  std::vector<std::string> cursors;
  const JsonDocument page = host.answer("/api/dashboard/tasks?limit=1");
  if (!page["next_cursor"].IsString()) give_up("there is no second task");
  for (int i = 1; i <= 100; ++i)
    cursors.push_back(
        store::cursor_to(store::List::Tasks, {static_cast<std::int64_t>(2 + host.facts.tasks * i / 101)}));
  return cursors;
}

struct Measured {
  double p50 = 0, p99 = 0;
  std::uint64_t count = 0;
};
Measured of(std::vector<double> microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  const auto at = [&](double q) {
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))] / 1e3;
  };
  return {at(0.5), at(0.99), microseconds.size()};
}

void append(std::vector<double>& to, const LoadResult& result, int status, const char* what) {
  if (result.count(status) != result.total())
    give_up(std::string(what) + " were answered with another status than " + std::to_string(status));
  to.insert(to.end(), result.microseconds.begin(), result.microseconds.end());
}

}  // namespace

int main(int argc, char** argv) {
  int tasks = 1'000'000;
  double seconds = 6;
  std::string perf;
  read_arguments(argc, argv, "bench_api [--tasks N] [--seconds N] [--perf FILE]",
                 {{"--tasks", &tasks}, {"--seconds", &seconds}, {"--perf", &perf}});
  const auto begun = std::chrono::steady_clock::now();
  Host host(tasks);
  std::printf(
      "\napi: %lld tasks, %lld executions, %lld deliveries over %d days, %.0f MiB, made in %.0f s\n\n",
      static_cast<long long>(host.facts.tasks), static_cast<long long>(host.facts.executions),
      static_cast<long long>(host.facts.deliveries), kDays,
      static_cast<double>(std::filesystem::file_size(host.database())) / (1 << 20),
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  check_lists(host);
  check_details(host);
  check_costs(host);
  check_chains(host);
  check_overview(host);

  Deliveries deliveries;
  const auto deliver = [&](double for_seconds) {
    return run({.port = host.program->port(),
                .connections = 32,
                .seconds = for_seconds,
                .rate = kDeliveriesPerSecond,
                .next = [&] { return deliveries.next(); }});
  };
  const std::vector<std::string> cursors = deep_cursors(host);
  // What was written to make the database is on its way to the disk, which is no part of this.
  ::sync();
  deliver(seconds);
  std::vector<double> alone, beside, rises;
  pid_t profiler = -1;
  if (!perf.empty() && (profiler = ::fork()) == 0) {
    const std::string pid = std::to_string(process_tree(host.program->pid()).back());
    ::execlp("perf", "perf", "record", "-q", "-F", "999", "-g", "-o", perf.c_str(), "-p", pid.c_str(),
             static_cast<char*>(nullptr));
    ::_exit(1);
  }
  std::printf("  %-44s %8s %8s %8s %8s %10s\n", "", "target", "p50 ms", "p99 ms", "asked", "p99 beside");
  for (const Endpoint& endpoint : endpoints(host, cursors)) {
    const LoadResult came_alone = deliver(seconds);
    append(alone, came_alone, 202, "deliveries");
    LoadResult came;
    std::thread sender([&] { came = deliver(seconds); });
    int number = 0;
    std::vector<double> times;
    append(times,
           run({.port = host.program->port(),
                .connections = 2,
                .seconds = seconds,
                .rate = kQuestionsPerSecond,
                .next = [&] { return host.request(endpoint.target(number++)); }}),
           200, endpoint.name);
    sender.join();
    append(beside, came, 202, "deliveries");
    const Measured measured = of(std::move(times)), its_deliveries = of(std::move(came.microseconds));
    rises.push_back(its_deliveries.p99 / of(came_alone.microseconds).p99);
    std::printf("  %-44s %8.0f %8.2f %8.2f %8llu %10.2f%s\n", endpoint.name, endpoint.target_ms, measured.p50,
                measured.p99, static_cast<unsigned long long>(measured.count), its_deliveries.p99,
                measured.p99 > endpoint.target_ms ? "  missed" : "");
    std::fflush(stdout);
  }
  if (profiler > 0) ::kill(profiler, SIGINT);
  const Measured without = of(std::move(alone)), with = of(std::move(beside));
  std::printf("\n");
  row("deliveries alone: p50, p99", "%.2f ms, %.2f ms of %llu", without.p50, without.p99,
      static_cast<unsigned long long>(without.count));
  row("deliveries beside questions: p50, p99", "%.2f ms, %.2f ms of %llu", with.p50, with.p99,
      static_cast<unsigned long long>(with.count));
  // A checkpoint or the disk may hold up either half of a round, so the median of all rounds tells most.
  std::sort(rises.begin(), rises.end());
  row("p99 beside questions / alone (target under 1.2)", "%.2f, least %.2f, most %.2f of %zu rounds",
      rises[rises.size() / 2], rises.front(), rises.back(), rises.size());
  row("RSS of the host, peak", "%.0f MiB", memory_of(process_tree(host.program->pid()).back()).peak_mib);
  return 0;
}
