/* Takes a service for granted. */
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  const davit_progress_v1 *progress = me->host->service(me->host, text(DAVIT_SERVICE_PROGRESS));
  progress->report(call, 0.5, text("work"), text("half way"));
  return put(result, "{\"success\":true}");
}
