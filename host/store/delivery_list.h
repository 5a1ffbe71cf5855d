// Reads about deliveries: lists, details, and what is to be run again.
//
// Functions over one read connection; confined to whoever has borrowed it.
#pragma once

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

Result<Page<DeliverySummary>> list_deliveries(Reader& reader, const Store::DeliveryFilter& filter);
Result<DeliveryDetail> read_delivery(Reader& reader, std::string_view delivery_id);
Result<DeferredDelivery> read_delivery_to_run(Reader& reader, std::string_view delivery_id);
Result<std::vector<DeferredDelivery>> read_due_deferred(Reader& reader, WallTime now, int limit);
Result<std::optional<WallTime>> read_next_deferred_at(Reader& reader);

}  // namespace davit::store
