# SPDX-License-Identifier: Apache-2.0
"""
Random queries over the tables of nasty.py, in weir's SQL. {0} and {1} stand for the tables.

The generator knows where a database means something else by the same text than weir does (an order of
texts by collation, `/` of integers, LIKE's case): a query that holds such a thing has `is_native` false
and is not given to the database itself.

What the engine computes wrongly is left out, since its own answers are what pushed ones are compared
with: NULLIF over joins, and the least and greatest of groups with NaN and infinities.
"""

import dataclasses
import re

import mysql_words
import nasty
from nasty import quote

MILD = ("int", "float", "dec", "text", "date", "ts", "bool")
ORDERS = ["=", "<>", "<", "<=", ">", ">="]
DAYS = ["2019-12-25", "2020-01-01", "2020-01-15", "2020-02-29", "2020-03-31"]
STAMPS = ["2020-01-01 00:00:00", "2020-01-15 12:30:00", "2020-02-29 23:59:59.999999", "2020-03-01 00:00:00"]
SPANS = ["1 day", "10 days", "1 month", "1 year", "-3 days", "2 months"]
SHORT_SPANS = ["1 hour", "90 minutes", "-15 seconds", "1 day", "1 month"]
WILD = {
    "wild_int": ["9223372036854775807", "9223372036854775806", "-2147483648", "9007199254740993", "0"],
    "wild_float": ["0.0", "-0.0", "0.1", "1e308", "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)", "16777217.0"],
    "wild_dec": ["0", "1.1", "CAST('72340572462191222660.9661467600' AS DECIMAL(38, 10))", "-0.5"],
    "wild_text": [nasty.text(v) for v in nasty.TEXTS],
    "wild_date": ["DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '1970-01-01'", "DATE '2000-02-29'"],
    "wild_ts": ["TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '2000-01-01 00:00:00'"],
    "char": ["'a'", "'ab    '", "'ab'", "''", "'abcdef'"],
    "tz": ["TIMESTAMP '2020-03-08 06:59:00+00'", "CAST('2020-03-08T03:00:00-05:00' AS TIMESTAMP WITH TIME ZONE)"],
    "uuid": [nasty.text(u) for u in nasty.UUIDS],
    "enum": ["'ok'", "'Happy'", "'it''s'"],
    "bytes": ["X''", "X'00'", "X'fffe'", "X'74657874'"],
}
PIECES = ["%", "_", "a", "A", "r", "red", "\\%", "\\_", "\\\\", "b", "e", "ä", "''", " ", "x", "1"]


@dataclasses.dataclass
class Query:
    sql: str
    is_native: bool
    is_ordered: bool
    why: list  # what makes it not native

    def over(self, tables, dialect=None):
        """The text with the tables' names; of a dialect, as the database itself reads it."""
        text = mysql_words.translated(self.sql) if dialect == "mysql" else self.sql
        for i, table in enumerate(tables):
            text = text.replace("{%d}" % i, table)
        return text


class Generator:
    def __init__(self, rng, dialect):
        self.rng = rng
        self.dialect = dialect
        self.columns = nasty.columns(dialect)
        self.scope = []  # of (alias, columns)
        self.why = []
        self.n_aliases = 0

    # ---- Choices ----

    def chance(self, probability):
        return self.rng.random() < probability

    def foreign(self, reason, *dialects):
        """What was just written means something else in the database itself."""
        if not dialects or self.dialect in dialects:
            self.why.append(reason)

    def alias(self):
        self.n_aliases += 1
        return f"t{self.n_aliases}"

    def column(self, *wanted):
        """The text of a column of one of the types, or None."""
        found = [f"{alias}.{quote(name)}" for alias, columns in self.scope for name, type in columns if type in wanted]
        return self.rng.choice(found) if found else None

    def typed_column(self, without=()):
        alias, columns = self.rng.choice(self.scope)
        name, type = self.rng.choice([c for c in columns if c[1] not in without])
        return f"{alias}.{quote(name)}", type

    # ---- Expressions ----

    def literal(self, type):
        rng = self.rng
        if type == "int":
            return str(rng.choice([0, 1, 2, 3, 5, 7, 10, 42, 100, 999])) if self.chance(0.8) else f"(-{rng.randrange(1, 9)})"
        if type == "float":
            return self.cast(rng.choice(["1.5", "0.1", "100.25", "-22.0", "3.0"]), "DOUBLE")
        if type == "dec":
            return rng.choice(["12.5", "0.001", "-100.000", "3.0", "250.75"])
        if type == "text":
            return nasty.text(rng.choice(nasty.MILD))
        if type == "date":
            if self.dialect == "sqlite" or self.chance(0.3):
                return f"'{rng.choice(DAYS)}'" if self.is_compared else self.cast(f"'{rng.choice(DAYS)}'", "DATE")
            return f"DATE '{rng.choice(DAYS)}'"
        if type == "ts":
            self.foreign("timestamps are texts", "sqlite")
            return f"TIMESTAMP '{rng.choice(STAMPS)}'"
        return rng.choice(["TRUE", "FALSE"])

    is_compared = False

    def cast(self, text, type):
        names = {"DOUBLE": "DOUBLE PRECISION"}
        if type in ("DATE", "TIMESTAMP"):
            self.foreign("a cast to a moment is one to a number", "sqlite")
        return f"CAST({text} AS {names.get(type, type)})"

    def expression(self, type, depth=2):
        """An expression of a mild type."""
        if depth <= 0 or self.chance(0.3):
            text = self.column(type) if self.chance(0.85) else None
            return text or self.literal(type)
        common = self.rng.randrange(8)
        inner = lambda: self.expression(type, depth - 1)  # noqa: E731
        if common == 0:
            return self.chosen(type, f"CASE WHEN {self.predicate(depth - 1)} THEN {inner()} ELSE {self.rng.choice([inner(), 'NULL'])} END")
        if common == 1:
            return self.chosen(type, f"COALESCE({inner()}, {inner()})")
        if common == 2 and len(self.scope) == 1:
            if type == "text":
                return f"NULLIF({inner()}, {nasty.text(self.rng.choice(nasty.MILD))})"
            return self.chosen(type, f"NULLIF({inner()}, {inner()})")
        if common == 3 and type != "bool":
            whens = " ".join(f"WHEN {self.literal('int')} THEN {inner()}" for _ in range(2))
            return self.chosen(type, f"CASE {self.expression('int', depth - 1)} {whens} END")
        return getattr(self, type + "_expression")(depth - 1)

    def chosen(self, type, text):
        """One of several values, which become of one type."""
        if type == "dec" and re.search(r"\d\.\d", text):
            self.foreign("a float beside a decimal becomes one of 15 digits")
        return text

    def int_expression(self, depth):
        rng, a = self.rng, self.expression("int", depth)
        kind = rng.randrange(11)
        if kind < 2:
            return f"({a} {rng.choice('+-')} {self.expression('int', depth)})"
        if kind == 2:
            return f"({a} * {rng.randrange(-4, 5)})"
        if kind == 3:
            self.foreign("integer division is a float", "duckdb")
            return f"({a} / {rng.choice([1, 2, 3, 7, '(-2)'] + ['NULLIF(' + self.column('int') + ', 0)'] * (len(self.scope) == 1))})"
        if kind == 4:
            return f"({a} % {rng.choice([2, 3, 7, '(-3)', '(-1)'])})"
        if kind == 5:
            return f"abs({a})"
        if kind == 6:
            return f"(- {a})"
        if kind == 7:
            name = "length" if self.dialect == "sqlite" or self.chance(0.6) else "char_length"
            return f"CAST({name}({self.expression('text', depth)}) AS INTEGER)"
        if kind == 8:
            # Weeks by ISO 8601; the day of the week counts from Sunday.
            self.foreign("no EXTRACT", "sqlite")
            part = rng.choice(["year", "month", "day", "dow", "doy", "week", "quarter"])
            return f"CAST(EXTRACT({part} FROM {self.expression(rng.choice(['date', 'ts']), depth)}) AS INTEGER)"
        if kind == 9:
            self.foreign("no strpos", "sqlite")
            return f"CAST(strpos({self.expression('text', depth)}, {nasty.text(rng.choice(['r', 'e', 'x', '']))}) AS INTEGER)"
        self.foreign("truth is a number anyway", "sqlite")
        return f"CAST({self.expression('bool', depth)} AS INTEGER)"

    def float_expression(self, depth):
        rng, a = self.rng, self.expression("float", depth)
        kind = rng.randrange(7)
        if kind < 2:
            return f"({a} {rng.choice('+-*')} {self.expression('float', depth)})"
        if kind == 2:
            return f"({a} / {rng.choice(['3.0', '(-0.5)', '7'])})"
        if kind == 3:
            return f"abs({a})"
        if kind == 4:
            return self.cast(self.expression(rng.choice(["int", "dec"]), depth), "DOUBLE")
        if kind == 5:
            self.foreign("it may lack mathematics", "sqlite")
            return rng.choice([f"floor({a})", f"ceil({a})", f"sqrt(abs({a}))"])
        self.foreign("halves are rounded to even, or away from zero")
        return f"round({a})"

    def dec_expression(self, depth):
        rng, a = self.rng, self.expression("dec", depth)
        self.foreign("decimals are floats", "sqlite")
        kind = rng.randrange(7)
        if kind < 2:
            return f"({a} {rng.choice('+-')} {self.expression('dec', depth)})"
        if kind == 2:
            return f"({a} * {rng.choice(['2', '0.5', '(-1.25)'])})"
        if kind == 3:
            return f"abs({a})"
        if kind == 4:
            self.foreign("a quotient has another scale")
            return f"({a} / {rng.choice(['3', '0.7'])})"
        if kind == 5:
            return f"CAST({self.expression('int', depth)} AS DECIMAL(18, 3))"
        self.foreign("casts round or cut")
        return f"CAST({self.expression(rng.choice(['dec', 'float']), depth)} AS DECIMAL(18, 1))"

    def text_expression(self, depth):
        rng, a = self.rng, self.expression("text", depth)
        kind = rng.randrange(11)
        if kind == 0:
            return f"{rng.choice(['lower', 'upper'])}({a})"
        if kind == 1:
            return f"({a} || {self.expression('text', depth)})"
        if kind == 2:
            return f"substr({a}, {rng.randrange(1, 5)}" + (f", {rng.randrange(0, 5)})" if self.chance(0.7) else ")")
        if kind == 3:
            return f"{rng.choice(['trim', 'ltrim', 'rtrim'])}({a})"
        if kind == 4:
            return f"replace({a}, {nasty.text(rng.choice(['e', 'red', ' ']))}, {nasty.text(rng.choice(['', 'E', '%']))})"
        if kind == 5:
            self.foreign("no concat", "sqlite")
            return f"concat({a}, {self.expression('text', depth)}, '-')"
        if kind == 6:
            return f"CAST({self.expression('int', depth)} AS VARCHAR)"
        if kind == 7:
            self.foreign("another text for a number or truth")
            return f"CAST({self.expression(rng.choice(['bool', 'float', 'dec', 'date', 'ts']), depth)} AS VARCHAR)"
        if kind == 8:
            self.foreign("no left and right", "sqlite")
            return f"{rng.choice(['left', 'right'])}({a}, {rng.randrange(0, 4)})"
        if kind == 9:
            self.foreign("negative places")
            return f"substr({a}, {rng.randrange(-3, 1)}, {rng.randrange(0, 6)})"
        self.foreign("letters beyond ASCII")
        return f"{rng.choice(['lower', 'upper', 'trim', 'reverse'])}({self.column('wild_text') or a})"

    def date_expression(self, depth):
        self.foreign("no dates", "sqlite")
        kind = self.rng.randrange(3)
        if kind == 0:
            return f"CAST({self.expression('ts', depth)} AS DATE)"
        self.foreign("a date and an interval is a timestamp")
        return f"CAST(({self.expression('date', depth)} + INTERVAL '{self.rng.choice(SPANS)}') AS DATE)"

    def ts_expression(self, depth):
        self.foreign("no timestamps", "sqlite")
        kind = self.rng.randrange(4)
        if kind == 0:
            return f"CAST({self.expression('date', depth)} AS TIMESTAMP)"
        if kind == 1:
            return f"({self.expression('ts', depth)} {self.rng.choice('+-')} INTERVAL '{self.rng.choice(SHORT_SPANS)}')"
        self.foreign("it is not equal to a moment that is no truncated one, also where it is NULL", "duckdb")
        part = self.rng.choice(["year", "quarter", "month", "week", "day", "hour", "minute", "second"])
        return f"date_trunc('{part}', {self.expression('ts', depth)})"

    def bool_expression(self, depth):
        return f"({self.predicate(depth)})"

    # ---- Predicates ----

    def predicate(self, depth=2):
        rng = self.rng
        if depth > 0 and self.chance(0.35):
            kind = rng.randrange(4)
            if kind == 0:
                return f"NOT ({self.predicate(depth - 1)})"
            return f"({self.predicate(depth - 1)} {'AND' if kind < 3 else 'OR'} {self.predicate(depth - 1)})"
        choice = rng.randrange(12)
        if choice == 0:
            column, _ = self.typed_column()
            return f"{column} IS {'NOT ' * self.chance(0.5)}NULL"
        if choice == 1:
            column = self.column("bool")
            if column:
                return column if self.chance(0.5) else f"{column} IS {'NOT ' * self.chance(0.5)}{rng.choice(['TRUE', 'FALSE'])}"
        if choice in (2, 3):
            return self.like()
        if choice in (4, 5, 6):
            return self.wild_comparison()
        type = rng.choice(MILD[:-1])
        a = self.expression(type, depth)
        self.is_compared = True
        try:
            return self.comparison(type, a, depth)
        finally:
            self.is_compared = False

    def other_side(self, type, depth):
        if self.chance(0.5):
            return self.literal(type)
        # A text beside a text is not a date.
        self.is_compared = False
        text = self.expression(type, depth - 1)
        self.is_compared = True
        return text

    def comparison(self, type, a, depth):
        rng = self.rng
        if type in ("float", "ts"):
            self.foreign("zeros with a sign; moments are texts", "sqlite")
        choice = rng.randrange(8)
        if choice == 0:
            values = [self.literal(type) for _ in range(rng.randrange(1, 5))]
            if self.chance(0.15):
                values.append("NULL")
            return f"{a} {'NOT ' * self.chance(0.4)}IN ({', '.join(values)})"
        if choice == 1:
            self.by_collation(type)
            return f"{a} {'NOT ' * self.chance(0.3)}BETWEEN {self.literal(type)} AND {self.other_side(type, depth)}"
        if choice == 2:
            return f"({a} IS {'NOT ' * self.chance(0.5)}DISTINCT FROM {self.other_side(type, depth)})"
        order = rng.choice(ORDERS)
        if order not in ("=", "<>"):
            self.by_collation(type)
        return f"{a} {order} {self.other_side(type, depth)}"

    def by_collation(self, type):
        if type in ("text", "wild_text", "char", "enum"):
            self.foreign("texts by collation", "postgresql")
        if type == "enum":
            self.foreign("the order of an enumeration")

    def wild_comparison(self):
        rng = self.rng
        types = sorted({type for _, columns in self.scope for _, type in columns if type in WILD})
        if not types:
            return "1 = 1"
        type = rng.choice(types)
        column = self.column(type)
        if type not in ("wild_int", "wild_text", "wild_date", "uuid"):
            self.foreign(f"{type} is compared otherwise")
        self.foreign("literals of types that it has not", "sqlite")
        literal = rng.choice(WILD[type])
        choice = rng.randrange(4)
        if choice == 0:
            return f"{column} {'NOT ' * self.chance(0.4)}IN ({', '.join(rng.choice(WILD[type]) for _ in range(3))})"
        if choice == 1:
            return f"({column} IS {'NOT ' * self.chance(0.5)}DISTINCT FROM {literal})"
        order = rng.choice(["=", "<>"] if type == "uuid" else ORDERS)
        if order not in ("=", "<>"):
            self.by_collation(type)
        return f"{column} {order} {literal}"

    def like(self):
        rng = self.rng
        column = self.column("wild_text") if self.chance(0.5) else self.expression("text", 1)
        pattern = "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 4)))
        self.foreign("LIKE knows no case and no escape", "sqlite")
        word = "LIKE"
        if "\\" in pattern:
            self.foreign("LIKE knows no escape unless told", "duckdb")
        if self.chance(0.3):
            word = "ILIKE"
            self.foreign("case beyond ASCII")
        return f"{column or self.literal('text')} {'NOT ' * self.chance(0.3)}{word} '{pattern}'"

    # ---- Sources ----

    def enter(self, table=None):
        """A table with a new alias in the scope: its text."""
        alias = self.alias()
        self.scope.append((alias, self.columns))
        return f"{{{self.rng.randrange(2) if table is None else table}}} AS {alias}"

    def source(self):
        """FROM and what follows it, with one or two tables in the scope."""
        rng = self.rng
        first = self.enter()
        if self.chance(0.6):
            return first
        kind = rng.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
        second = self.enter(1)
        (a, _), (b, _) = self.scope[-2:]
        if kind == "CROSS JOIN":
            return f"{first} CROSS JOIN {second}"
        name = rng.choice(["id", "i16", "v", "select", "d", "wt"] + (["u", "en"] if self.dialect == "postgresql" else []))
        condition = f"{a}.{quote(name)} = {b}.{quote(name)}"
        if self.chance(0.3):
            if kind == "FULL JOIN":
                self.foreign("a full join by more than equality", "postgresql")
            condition += f" AND {self.predicate(1)}"
        return f"{first} {kind} {second} ON {condition}"

    def where(self):
        if self.chance(0.2):
            return ""
        if self.chance(0.2):
            return f" WHERE {self.semi_join()}"
        return f" WHERE {self.predicate(3)}"

    def semi_join(self):
        """EXISTS or IN with a query over the second table."""
        alias, _ = self.scope[0]
        outer = self.scope
        inner = self.alias()
        self.scope = [(inner, self.columns)]
        name = self.rng.choice(["i16", "select", "v", "d"])
        condition = self.predicate(1)
        if self.chance(0.5):
            text = f"{'NOT ' * self.chance(0.5)}EXISTS (SELECT 1 FROM {{1}} AS {inner} WHERE {inner}.{quote(name)} = {alias}.{quote(name)} AND {condition})"
        else:
            text = f"{alias}.{quote(name)} {'NOT ' * self.chance(0.5)}IN (SELECT {inner}.{quote(name)} FROM {{1}} AS {inner} WHERE {condition})"
        self.scope = outer
        if self.chance(0.4):
            text += f" AND {self.predicate(1)}"
        return text

    def order(self, items, keys):
        """ORDER BY of which the last items, `keys`, have no equals."""
        texts = []
        for text, type in items + keys:
            direction = self.rng.choice(["", " ASC", " DESC"])
            nulls = self.rng.choice(["", " NULLS FIRST", " NULLS LAST"])
            if not nulls:
                self.foreign("NULL comes first or last", "duckdb", "sqlite")
            if type == "wild_float" or (type == "float" and "(" in text):
                self.foreign("zeros with a sign have an order")
            if type == "float":
                self.foreign("NaN comes first or last", "duckdb", "sqlite")
            if type in ("json", "list", "interval"):
                self.foreign(f"an order of {type}")
            self.by_collation(type)
            texts.append(text + direction + nulls)
        return " ORDER BY " + ", ".join(texts)

    def limit(self):
        text = ""
        if self.chance(0.5):
            text = f" LIMIT {self.rng.choice([0, 1, 3, 10, 50, 1000])}"
            if self.chance(0.4):
                text += f" OFFSET {self.rng.choice([0, 1, 5, 200, 5000])}"
        return text

    def items(self, n):
        """Columns of a result: (text, type)."""
        result = []
        for _ in range(n):
            if self.chance(0.5):
                column, type = self.typed_column()
                if type in ("char", "any_dec"):
                    self.foreign("blanks that mean nothing; texts of numbers")
                result.append((column, type))
                continue
            type = self.rng.choice(MILD)
            result.append((self.expression(type), type))
        return result

    def listed(self, items):
        return ", ".join(f"{text} AS c{i}" for i, (text, _) in enumerate(items))

    def keys(self):
        return [(f"{alias}.id", "key") for alias, _ in self.scope]

    # ---- Queries ----

    def query(self):
        self.scope, self.why, self.n_aliases = [], [], 0
        shapes = [self.rows, self.rows, self.rows, self.aggregate, self.aggregate, self.distinct, self.union, self.window, self.nested, self.correlated, self.named_twice]
        sql, is_ordered = self.rng.choice(shapes)()
        if self.dialect == "sqlite" and (" CAST(" in sql and "VARCHAR" in sql):
            self.foreign("a cast to a text")
        if self.dialect == "mysql":
            self.why += mysql_words.foreign(sql)
        return Query(sql, not self.why, is_ordered, self.why)

    def rows(self):
        source = self.source()
        items = self.items(self.rng.randrange(1, 5))
        sql = f"SELECT {self.listed(items)} FROM {source}{self.where()}"
        if self.chance(0.5):
            # A number alone would be the place of a column.
            sortable = [item for item in items if item[1] not in ("json", "list", "interval") and "t" in item[0]]
            return sql + self.order(sortable[: self.rng.randrange(3)], self.keys()) + self.limit(), True
        return sql, False

    def aggregates(self, n):
        result = []
        for _ in range(n):
            rng = self.rng
            kind = rng.randrange(13)
            type = "int"
            if kind == 0:
                text = "count(*)"
            elif kind == 1:
                text = f"count({self.typed_column()[0]})"
            elif kind == 2:
                column, column_type = self.typed_column(without=("json", "list", "interval"))
                if "float" in column_type or column_type in ("char", "wild_dec", "any_dec"):
                    self.foreign("what is distinct")
                text = f"count(DISTINCT {column})"
            elif kind in (3, 4):
                name, type = rng.choice(["sum", "avg"]), rng.choice(["int", "float", "dec"])
                if (name, type) == ("avg", "dec"):
                    self.foreign("the mean of decimals is a float", "sqlite", "duckdb")
                text = f"{name}({'DISTINCT ' * (self.chance(0.15) and type == 'int')}{self.expression(type, 1)})"
                type = "float"
            elif kind in (5, 6, 7):
                name = rng.choice(["min", "max"])
                type = rng.choice(["int", "float", "dec", "text", "date", "ts"])
                self.by_collation(type)
                text = f"{name}({self.expression(type, 1)})"
            elif kind == 8:
                types = [t for t in ("wild_int", "wild_dec", "wild_text", "wild_date", "wild_ts", "tz") if self.column(t)]
                type = rng.choice(types)
                self.foreign(f"the least {type}")
                text = f"{rng.choice(['min', 'max'])}({self.column(type)})"
            elif kind == 9:
                type = "bool"
                self.foreign("no bool_and", "sqlite")
                text = f"{rng.choice(['bool_and', 'bool_or'])}({self.predicate(1)})"
            elif kind == 10:
                type = "float"
                self.foreign("no deviation", "sqlite")
                text = f"{rng.choice(['stddev', 'var_samp', 'stddev_pop'])}({self.expression('float', 0)})"
            elif kind == 11:
                type = "text"
                self.foreign("no ordered string_agg", "sqlite")
                text = f"string_agg({self.column('text')}, ',' ORDER BY {', '.join(key for key, _ in self.keys())})"
                if len(self.scope) > 1:
                    self.foreign("NULL comes first or last", "duckdb")
            else:
                text = f"sum({self.column('int')})"
            if self.chance(0.2) and kind != 11:
                text += f" FILTER (WHERE {self.predicate(1)})"
            result.append((text, type))
        return result

    def groups(self, n):
        result = []
        for _ in range(n):
            if self.chance(0.6):
                column, type = self.typed_column(without=("json", "list", "interval"))
                if "float" in type or type in ("char", "wild_dec", "any_dec"):
                    self.foreign("groups of what is equal")
                result.append((column, type))
            else:
                type = self.rng.choice(["int", "text", "date", "bool"])
                column = self.column(type)
                # A literal would be the place of a column.
                text = f"COALESCE({column}, {self.expression(type, 1)})" if column else self.expression(type, 2)
                if "." not in text:
                    self.foreign("a truth is a place", "mysql")
                result.append((text, type))
        return result

    def aggregate(self):
        source = self.source()
        groups = self.groups(self.rng.randrange(0, 3))
        items = groups + self.aggregates(self.rng.randrange(1, 4))
        sql = f"SELECT {self.listed(items)} FROM {source}{self.where()}"
        if groups:
            sql += " GROUP BY " + ", ".join(text for text, _ in groups)
            if self.chance(0.3):
                sql += f" HAVING count(*) {self.rng.choice(ORDERS)} {self.rng.randrange(1, 5)}"
            if self.chance(0.4):
                keys = [(f"c{i}", type) for i, (_, type) in enumerate(groups)]
                return sql + self.order([], keys) + self.limit(), True
        return sql, False

    def distinct(self):
        source = self.source()
        items = [item for item in self.items(self.rng.randrange(1, 4)) if item[1] not in ("json", "list", "interval")]
        items = items or [(self.column("int"), "int")]
        if any("float" in type or type in ("char", "wild_dec", "any_dec") for _, type in items):
            self.foreign("what is distinct")
        if any(type == "dec" and "." in text.replace("t1.", "").replace("t2.", "") for text, type in items):
            self.foreign("a decimal and a literal are a float")
        sql = f"SELECT DISTINCT {self.listed(items)} FROM {source}{self.where()}"
        if self.chance(0.4):
            keys = [(f"c{i}", type) for i, (_, type) in enumerate(items)]
            return sql + self.order([], keys) + self.limit(), True
        return sql, False

    def union(self):
        word = self.rng.choice(["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"])
        types = [self.rng.choice(["int", "text", "date", "bool", "dec"]) for _ in range(self.rng.randrange(1, 3))]
        sides = []
        for _ in range(2):
            self.scope = []
            source = self.enter()
            # Of the columns' own types: a literal's would be the database's to choose.
            items = [(self.column(type), type) for type in types]
            sides.append(f"SELECT {self.listed(items)} FROM {source}{self.where()}")
        sql = f" {word} ".join(sides)
        if word != "UNION ALL" and self.chance(0.4):
            keys = [(f"c{i}", type) for i, type in enumerate(types)]
            return sql + self.order([], keys) + self.limit(), True
        return sql, False

    def window(self):
        rng = self.rng
        source = self.enter()
        key = self.keys()
        items = [(self.keys()[0][0], "key")] + self.items(1)
        for _ in range(rng.randrange(1, 3)):
            parts = [text for text, _ in self.groups(rng.randrange(0, 2))]
            over = ("PARTITION BY " + ", ".join(parts)) if parts else ""
            column, type = self.typed_column(without=("json", "list", "interval", "wild_float", "char", "wild_dec", "bytes", "time"))
            over += self.order([(column, type)] if self.chance(0.5) else [], key)
            kind = rng.randrange(6)
            int_column = self.column("int")
            if kind == 0:
                text = f"{rng.choice(['row_number', 'rank', 'dense_rank'])}() OVER ({over})"
            elif kind == 1:
                text = f"{rng.choice(['lag', 'lead'])}({int_column}, {rng.randrange(1, 3)}) OVER ({over})"
            elif kind == 2:
                text = f"{rng.choice(['first_value', 'last_value'])}({int_column}) OVER ({over})"
            elif kind == 3:
                frame = rng.choice(["UNBOUNDED PRECEDING AND CURRENT ROW", "1 PRECEDING AND 2 FOLLOWING", "CURRENT ROW AND UNBOUNDED FOLLOWING"])
                text = f"{rng.choice(['sum', 'count', 'min', 'max'])}({int_column}) OVER ({over} ROWS BETWEEN {frame})"
            elif kind == 4:
                text = f"{rng.choice(['sum', 'avg'])}({int_column}) OVER ({'PARTITION BY ' + ', '.join(parts) if parts else ''})"
            else:
                text = f"ntile({rng.randrange(1, 5)}) OVER ({over})"
            items.append((text, "int"))
        return f"SELECT {self.listed(items)} FROM {source}{self.where()}", False

    def nested(self):
        """A query over a query: with a limit or an aggregate inside, and filters outside that must stay there."""
        kind = self.rng.randrange(4)
        if kind == 0:
            source = self.enter()
            alias = self.scope[0][0]
            inner = f"SELECT {alias}.* FROM {source}{self.where()}" + self.order([], self.keys()) + f" LIMIT {self.rng.choice([1, 5, 20])}"
            self.scope = [("s", self.columns)]
            items = self.items(2)
            return f"SELECT {self.listed(items)} FROM ({inner}) AS s{self.where()}", False
        if kind == 1:
            source = self.source()
            groups = self.groups(1)
            inner_items = groups + self.aggregates(1)
            inner = f"SELECT {self.listed(inner_items)} FROM {source}{self.where()} GROUP BY {groups[0][0]}"
            self.scope = [("s", [(f"c{i}", type) for i, (_, type) in enumerate(inner_items)] + [("c0", "key")])]
            return f"WITH s AS ({inner}) SELECT s.c0, s.c1 FROM s WHERE s.c1 IS NOT NULL", False
        if kind == 2:
            source = self.enter()
            items = self.items(2)
            alias, _ = self.scope[0]
            inner = self.alias()
            scalar = f"(SELECT {self.rng.choice(['max', 'min', 'avg', 'count'])}({inner}.i32) FROM {{1}} AS {inner})"
            return f"SELECT {self.listed(items)} FROM {source} WHERE {alias}.i32 {self.rng.choice(ORDERS)} {scalar}", False
        source = self.enter()
        alias = self.scope[0][0]
        inner = f"SELECT DISTINCT {alias}.i16, {alias}.v FROM {source}{self.where()}"
        self.scope = [("s", [("i16", "int"), ("v", "text")])]
        return f"SELECT s.i16, count(*) AS n, min(length(s.v)) AS least FROM ({inner}) AS s GROUP BY s.i16", False

    def correlated(self):
        """A query for each row of another: its aggregate beside a value, times a float or not."""
        source = self.enter()
        outer = self.scope
        alias, _ = outer[0]
        inner = self.alias()
        type = self.rng.choice(["dec", "int"])
        name = self.rng.choice([name for name, column_type in self.columns if column_type == type])
        function = self.rng.choice(["avg", "sum", "min", "max", "count"])
        if function == "avg" or type == "dec":
            self.foreign("averages and decimals have another scale")
        value = f"{function}({inner}.{quote(name)})"
        if self.chance(0.6):
            self.foreign("a factor is a decimal")
            value = self.rng.choice([f"{self.rng.choice(['0.2', '1.5', '7e-1'])} * {value}", f"{value} * 0.0001"])
        self.scope = [(inner, self.columns)]
        condition = f"{inner}.i16 = {alias}.i16" + (f" AND {self.predicate(1)}" if self.chance(0.4) else "")
        self.scope = outer
        side = self.column(type) if self.chance(0.8) else self.expression(type, 1)
        scalar = f"(SELECT {value} FROM {{1}} AS {inner} WHERE {condition})"
        sql = f"SELECT {self.listed(self.items(2))} FROM {source} WHERE {side} {self.rng.choice(ORDERS)} {scalar}"
        return sql + (f" AND {self.predicate(1)}" if self.chance(0.5) else ""), False

    def named_twice(self):
        source = self.enter()
        groups = [(f"{self.scope[0][0]}.i16", "int")]
        items = groups + [(f"{self.rng.choice(['sum', 'max', 'count'])}({self.column('int')})", "int")]
        inner = f"SELECT {self.listed(items)} FROM {source}{self.where()} GROUP BY {groups[0][0]}"
        if self.chance(0.5):
            return f"WITH s AS ({inner}) SELECT s.c0, s.c1 FROM s WHERE s.c1 = (SELECT {self.rng.choice(['max', 'min'])}(c1) FROM s)", False
        return f"WITH s AS ({inner}) SELECT a.c0, b.c1 FROM s AS a JOIN s AS b ON a.c0 = b.c1", False
