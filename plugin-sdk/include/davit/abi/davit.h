/* The whole plugin ABI. */
#ifndef DAVIT_ABI_DAVIT_H
#define DAVIT_ABI_DAVIT_H

#include "agent.h"
#include "entry.h"
#include "host.h"
#include "types.h"
#include "version.h"
#include "webhook.h"

#endif
