/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an extension was compiled against when slots had come to hear of the end of what they work
 * for: a copy that is never changed, as abi_2.h, which it goes on from.
 */
#ifndef ABI_3_H
#define ABI_3_H

#include "abi_2.h"

struct weir_watch {
    void *room[8];
};

/* struct weir_host had grown by these at its end. */
struct weir_host_of_abi_3 {
    struct weir_host before;
    int (*watch)(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped);
    void (*unwatch)(struct weir_watch *watch);
};

#endif
