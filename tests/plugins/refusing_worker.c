/* The agent of scripted_agent.c after a change that went wrong: it cannot be created. */
#define BEFORE_CREATE(call) return (call)->set_error(call, text("the model is not installed")), DAVIT_PERMANENT
#include "scripted_agent.c"
