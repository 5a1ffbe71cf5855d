/* An agent that crashes. */
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  *(volatile int *)8 = 1;
  return DAVIT_OK;
}
