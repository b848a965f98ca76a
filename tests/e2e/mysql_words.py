# SPDX-License-Identifier: Apache-2.0
"""Queries of queries.py in the words of MySQL, for a session of backends_mysql.ANSI."""

import re

TYPES = {"DOUBLE PRECISION": "DOUBLE", "DOUBLE": "DOUBLE", "INTEGER": "SIGNED", "VARCHAR": "CHAR"}
# What it has not, or what means something else there.
STRANGE = [
    "ORDER BY",  # NULL comes first
    r"FILTER \(",
    "DISTINCT FROM",
    "strpos|date_trunc|bool_and|bool_or|stddev|var_samp|string_agg|ntile",
    r"\bconcat\(",  # with NULL it is NULL
    r"\bavg\(",  # of four digits
    r'\bsum\([^)]*"(i64|w64)"',  # a decimal of more digits than Arrow has
    "INTERVAL",
    " / ",  # a decimal
    "FULL JOIN|ILIKE",
    r"EXTRACT\((dow|doy|week)",
    "AS TIMESTAMP",
    r"\\",  # no escape in LIKE
]


def foreign(sql):
    return [f"MySQL: {pattern}" for pattern in STRANGE if re.search(pattern, sql)]


def translated(sql):
    return re.sub(r" AS (" + "|".join(TYPES) + r")\)", lambda found: f" AS {TYPES[found[1]]})", sql)
