#include "host/http/stats_routes.h"

#include "host/http/answers.h"
#include "host/http/queue_series.h"
#include "host/http/stats_json.h"

namespace davit::http {
namespace {

Response agent_stats_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"agent"});
  if (!query.errors().empty()) return {};
  const auto stats = store.agent_stats(query.text("agent"));
  if (!stats) return error_answer(stats.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_agent_stats(writer, *stats); });
}

Response costs_answer(const store::Store& store, const Clock& clock, Exchange& exchange, Query& query) {
  const CostQuery wanted = cost_query_of(query, clock.wall());
  if (!query.errors().empty()) return {};
  const auto costs = store.costs(wanted);
  if (!costs) return error_answer(costs.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_costs(writer, wanted, *costs); });
}

Response series_answer(const store::Store& store, const Clock& clock, Exchange& exchange, Query& query) {
  const WantedSeries wanted = series_of(query, clock.wall());
  if (!query.errors().empty()) return {};
  if (wanted.metric == SeriesMetric::Tasks) {
    const auto made = store.tasks_made(wanted.query);
    if (!made) return error_answer(made.error(), exchange.request.request_id);
    return json_answer([&](JsonWriter& writer) { write_tasks_made(writer, wanted, *made); });
  }
  const auto points = store.series(wanted.query);
  if (!points) return error_answer(points.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_series(writer, wanted, *points); });
}

Response queue_series_answer(const store::Store& store, const Clock& clock, Exchange& exchange, Query& query) {
  const WantedQueueSeries wanted = queue_series_of(query, clock.wall());
  if (!query.errors().empty()) return {};
  const auto points = store.queue_series(wanted.query);
  if (!points) return error_answer(points.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_queue_series(writer, wanted, *points); });
}

Response chains_answer(const store::Store& store, const Clock& clock, Exchange& exchange, Query& query) {
  const ChainQuery wanted = chain_query_of(query, clock.wall());
  if (!query.errors().empty()) return {};
  const auto patterns = store.chain_patterns(wanted);
  if (!patterns) return error_answer(patterns.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_chain_patterns(writer, wanted, *patterns); });
}

Response overview_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({});
  if (!query.errors().empty()) return {};
  const auto overview = store.overview();
  const auto queue = store.queue();
  if (!overview || !queue)
    return error_answer(overview ? queue.error() : overview.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) { write_overview(writer, *overview, *queue); });
}

}  // namespace

std::vector<Route> stats_routes(const store::Store& store, const Clock& clock) {
  const auto reader = [](std::string operation, std::string name,
                         std::function<Response(Exchange&, Query&)> use) {
    return Route{"GET",          "/api/dashboard/" + name,   Access::Reader,
                 Thread::Worker, with_query(std::move(use)), std::move(operation)};
  };
  return {
      reader(
          "getAgentStats", "agent-stats",
          [&store](Exchange& exchange, Query& query) { return agent_stats_answer(store, exchange, query); }),
      reader("getCosts", "cost-breakdown",
             [&store, &clock](Exchange& exchange, Query& query) {
               return costs_answer(store, clock, exchange, query);
             }),
      reader("getSeries", "series",
             [&store, &clock](Exchange& exchange, Query& query) {
               return series_answer(store, clock, exchange, query);
             }),
      reader("getQueueSeries", "queue-series",
             [&store, &clock](Exchange& exchange, Query& query) {
               return queue_series_answer(store, clock, exchange, query);
             }),
      reader("getChains", "agent-chain-analytics",
             [&store, &clock](Exchange& exchange, Query& query) {
               return chains_answer(store, clock, exchange, query);
             }),
      reader("getOverview", "overview",
             [&store](Exchange& exchange, Query& query) { return overview_answer(store, exchange, query); })};
}

}  // namespace davit::http
