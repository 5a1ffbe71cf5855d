/* Does not listen when it is cancelled. */
#include <unistd.h>
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  for (;;) sleep(1);
  return DAVIT_CANCELLED;
}
