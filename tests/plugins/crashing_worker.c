/* The agent of scripted_agent.c after a change that went wrong: every task crashes. */
#define BEFORE_EXECUTE() (*(volatile int *)8 = 1)
#include "scripted_agent.c"
