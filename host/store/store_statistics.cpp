// Sums of what was done.
#include "host/store/stats.h"
#include "host/store/store_impl.h"

namespace davit::store {

Result<std::vector<AgentStats>> Store::agent_stats(std::string_view agent) const {
  return impl_->readers_.read([&](Reader& reader) { return read_agent_stats(reader, agent); });
}

Result<std::vector<CostLine>> Store::costs(const CostQuery& query) const {
  return impl_->readers_.read([&](Reader& reader) { return read_costs(reader, query); });
}

Result<std::vector<SeriesPoint>> Store::series(const SeriesQuery& query) const {
  return impl_->readers_.read([&](Reader& reader) { return read_series(reader, query); });
}

Result<std::vector<TasksMade>> Store::tasks_made(const SeriesQuery& query) const {
  return impl_->readers_.read([&](Reader& reader) { return read_tasks_made(reader, query); });
}

Result<std::vector<QueuePoint>> Store::queue_series(const QueueSeriesQuery& query) const {
  return impl_->readers_.read([&](Reader& reader) {
    return read_queue_series(reader, query, {impl_->clock_.wall(), impl_->writer_ != nullptr});
  });
}

Result<std::vector<ChainPattern>> Store::chain_patterns(const ChainQuery& query) const {
  return impl_->readers_.read([&](Reader& reader) { return read_chain_patterns(reader, query); });
}

Result<Overview> Store::overview() const {
  return impl_->readers_.read([&](Reader& reader) { return read_overview(reader, impl_->clock_.wall()); });
}

Result<History> Store::history() const {
  return impl_->readers_.read([](Reader& reader) { return read_history(reader); });
}

}  // namespace davit::store
