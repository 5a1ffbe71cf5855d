/* The two symbols a plugin library may export, and nothing else.
 *
 * The number at the end is the ABI major. A library offers webhooks, agents or
 * both; the host finds the symbols in the file before any of its code runs. */
#ifndef DAVIT_ABI_ENTRY_H
#define DAVIT_ABI_ENTRY_H

#include "agent.h"
#include "version.h"
#include "webhook.h"

#if defined(__GNUC__)
#define DAVIT_EXPORT __attribute__((visibility("default")))
#else
#define DAVIT_EXPORT
#endif

#define DAVIT_WEBHOOK_FACTORY_SYMBOL "davit_webhook_factory_v1"
#define DAVIT_AGENT_FACTORY_SYMBOL "davit_agent_factory_v1"

#ifdef __cplusplus
extern "C" {
#endif

/* Constant data that lives as long as the library; never NULL. No side effects,
 * callable any number of times. [scan] */
DAVIT_EXPORT const davit_webhook_factory *davit_webhook_factory_v1(void);
DAVIT_EXPORT const davit_agent_factory *davit_agent_factory_v1(void);

#ifdef __cplusplus
}
#endif

#endif
