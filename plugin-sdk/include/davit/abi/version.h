/* The version of the plugin ABI.
 *
 * MAJOR is part of the names of the factory symbols (entry.h): a host loads the
 * majors it knows and refuses the others by name.
 *
 * MINOR grows when something is appended. Within a major nothing is removed,
 * moved, reused or given another meaning. A plugin states the minor it *needs*,
 * which is rarely the minor it was built with.
 *
 * Every struct begins with the byte size its writer filled in, never less than
 * the struct had in minor 0. A member may be read only if it ends inside that
 * size. davit_text and davit_header carry no size because arrays of them cross:
 * they are frozen for the whole major. Padding is explicit; integers have
 * fixed widths; there is no bool, enum, long, bit-field or C++ type in any
 * layout. Layouts are promised for LP64 platforms. */
#ifndef DAVIT_ABI_VERSION_H
#define DAVIT_ABI_VERSION_H

#include <stddef.h>

#define DAVIT_ABI_MAJOR 1
#define DAVIT_ABI_MINOR 0

/* Does `member` of the struct behind `pointer` exist in its writer's version?
 * True only if the member ENDS inside the written size. */
#define DAVIT_HAS(pointer, type, member) \
  ((pointer)->struct_size >= offsetof(type, member) + sizeof(((const type *)0)->member))

#endif
