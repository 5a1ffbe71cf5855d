/* The factory struct ends before its functions. */
#define STRUCT_SIZE 16
#include "broken.h"
