#include "host/readiness.h"

#include "host/base/file.h"

namespace davit {
namespace {

// Longer than a slow disk, or a machine that is short of time, holds one of these threads up.
constexpr Duration kPatience{5'000};

std::string silent(const Pulse& pulse, const std::string& what) {
  const Duration since = pulse.unanswered_after(kPatience);
  if (since == Duration::zero()) return "";
  return what + " has not answered for " + std::to_string(since.count() / 1000) + " s";
}

std::string trouble_of_writer(const store::Store& store, const Pulse& pulse) {
  std::string hangs = silent(pulse, "the store's writer");
  if (!hangs.empty()) return hangs + "; the disk may hang, or be far too slow";
  const store::WriterStats stats = store.writer_stats();
  if (!stats.full) return "";
  return std::to_string(stats.waiting) +
         " writes wait for the disk, as many as may; deliveries are turned away";
}

std::string trouble_of_plugins(const live::LivePlugins& live, const plugin::Registry& registry,
                               const std::string& folder) {
  std::string trouble = live.folder_trouble();
  if (!trouble.empty()) return trouble;
  return registry.current()->libraries.empty() ? "no plugin was found in " + folder : "";
}

std::string trouble_of_disk(const std::filesystem::path& folder, std::uint64_t least) {
  const Result<std::uint64_t> free = free_bytes(folder);
  if (!free) return free.error().message;
  if (*free >= least) return "";
  constexpr std::uint64_t kMebibyte = 1u << 20;
  return "only " + std::to_string(*free / kMebibyte) + " MiB are free in " + folder.string() +
         ", below storage.min_free; make room before writes fail";
}

}  // namespace

Readiness::Readiness(const Needs& needs, std::uint64_t min_free)
    : needs_(needs),
      min_free_(min_free),
      writer_([this](auto reached) { needs_.store.reach_writer(std::move(reached)); }, needs.clock),
      dispatch_([this](auto reached) { needs_.dispatcher.reach(std::move(reached)); }, needs.clock),
      ingest_([this](auto reached) { needs_.ingest.reach(std::move(reached)); }, needs.clock) {}

std::vector<http::PartHealth> Readiness::parts() {
  // All at once, so that they are waited for together.
  for (Pulse* pulse : {&writer_, &dispatch_, &ingest_}) pulse->ask();
  const auto store = needs_.store.health();
  return {{"store", store ? "" : store.error().message},
          {"writer", trouble_of_writer(needs_.store, writer_)},
          {"dispatch", silent(dispatch_, "the loop that starts and ends tasks")},
          {"ingest", silent(ingest_, "the loop that asks webhooks in processes of their own")},
          {"plugins", trouble_of_plugins(needs_.live, needs_.registry, needs_.plugins_folder)},
          {"disk", trouble_of_disk(needs_.state_folder, min_free_.load())}};
}

}  // namespace davit
