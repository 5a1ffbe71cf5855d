// What the writer keeps in memory beside the database, and what has to say the same.
#pragma once

namespace davit::store {

// Confined to the writer thread. What a transaction changes in it waits for the commit. The writer has one
// list of them (Writer::Connection), so that none is forgotten at a commit or at a rollback.
class TransactionPart {
 public:
  virtual ~TransactionPart() = default;
  // Before the commit: writes what belongs into the same transaction. It may still fail and be rolled back.
  virtual void flush() {}
  virtual void apply() = 0;    // it is committed
  virtual void discard() = 0;  // it was rolled back, or nobody knows
};

}  // namespace davit::store
