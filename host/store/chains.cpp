#include "host/store/chains.h"

#include "host/store/rows.h"

namespace davit::store {
namespace {

constexpr int kMostLinks = 200;

}  // namespace

void read_chain(Reader& reader, const StoredId& root, Chain& chain) {
  // The first of a chain names no root.
  static const std::string kMembers =
      "WITH member AS (SELECT row FROM task WHERE id = ?1 UNION ALL"
      " SELECT row FROM task WHERE root IS NOT NULL AND root = ?1) ";
  {
    Cursor row =
        reader
            .statement(
                kMembers +
                "SELECT t.id, t.parent, t.agent, t.state, t.chain_depth, t.created_at, t.finished_at,"
                " total(e.cost_micro_usd), total(e.input_tokens + e.output_tokens +"
                " e.cache_read_tokens + e.cache_write_tokens), t.needs_approval FROM member m JOIN task t ON t.row = m.row"
                " LEFT JOIN execution e ON e.task = t.row GROUP BY t.row ORDER BY t.row LIMIT ?2")
            .query(root, kMostLinks);
    while (row.next()) {
      ChainLink link;
      link.task_id = to_text(row.id(0));
      link.parent_id = to_text(row.id(1));
      link.agent = row.text(2);
      link.state = task_state_of(row.integer(3));
      link.depth = static_cast<int>(row.integer(4));
      link.created_at = row.time(5);
      if (!row.is_null(6)) link.finished_at = row.time(6);
      link.cost_micro_usd = row.integer(7);
      link.tokens = row.integer(8);
      link.needs_approval = row.integer(9) != 0;
      chain.task_count += 1;
      chain.cost_micro_usd += link.cost_micro_usd;
      chain.tokens += link.tokens;
      chain.tasks.push_back(std::move(link));
    }
  }
  if (chain.tasks.size() < kMostLinks) return;
  Cursor row = reader
                   .statement(kMembers +
                              "SELECT count(DISTINCT m.row), total(e.cost_micro_usd), total(e.input_tokens +"
                              " e.output_tokens + e.cache_read_tokens + e.cache_write_tokens)"
                              " FROM member m LEFT JOIN execution e ON e.task = m.row")
                   .query(root);
  if (!row.next()) return;
  chain.task_count = row.integer(0);
  chain.cost_micro_usd = row.integer(1);
  chain.tokens = row.integer(2);
}

}  // namespace davit::store
