/* SPDX-License-Identifier: Apache-2.0 */
/* What may be granted on a table, a schema or a catalog. The numbers are stored. */
#ifndef WR_PRIVILEGE_H
#define WR_PRIVILEGE_H

enum wr_privilege {
    WR_MAY_SELECT = 1,
    WR_MAY_INSERT = 2,
    WR_MAY_UPDATE = 4,
    WR_MAY_DELETE = 8,
    WR_MAY_CREATE = 16,
    WR_MAY_DROP = 32,
    WR_MAY_ALTER = 64,
    WR_MAY_ALL = 127
};

#endif
