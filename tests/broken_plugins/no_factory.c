/* A shared library that has nothing to do with davit. */
__attribute__((visibility("default"))) int answer(void) { return 42; }
