/* A plugin of an ABI major from before the first. */
__attribute__((visibility("default"))) const void *davit_webhook_factory_v0(void) { return 0; }
