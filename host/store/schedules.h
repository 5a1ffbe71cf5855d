// Which times of the recurring tasks are done with, so that none of them is made twice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/store/batch.h"
#include "host/store/readers.h"
#include "host/store/store.h"
#include "host/store/new_tasks.h"

namespace davit::store {

// Confined to the writer thread, inside its transaction, as are the next two. Keeps what is known of those
// that were adopted before with the same cron, begins the others at the batch's time, forgets all that are
// not named.
std::vector<ScheduleState> adopt_schedules(Database& database, const Batch& batch,
                                           const std::vector<ScheduleState>& schedules);
// Makes the task of `slot`, unless that or a later one is done with. Gives the id of the task, or of the one
// it was merged into, which is queued or waits for approval.
Result<std::optional<std::string>> fire_schedule(Database& database, NewTasks& new_tasks, Batch& batch,
                                                 const std::string& name, WallTime slot, const NewTask& task);
// Is done with `slot` without a task.
void skip_schedule(Database& database, const std::string& name, WallTime slot);

// By name.
std::vector<ScheduleState> read_schedules(Reader& reader);

}  // namespace davit::store
