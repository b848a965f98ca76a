# SPDX-License-Identifier: Apache-2.0
"""Values that Arrow has as counts, as the objects of datetime and decimal, and back."""

import datetime
import decimal

DAY = 86_400_000_000_000
EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
EPOCH = datetime.datetime(1970, 1, 1)
EPOCH_UTC = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
EXACT = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation])


def microseconds(count, unit_ns):
    """Raises OverflowError where Python's microseconds cannot hold the value exactly."""
    value, rest = divmod(count * unit_ns, 1000)
    if rest:
        raise OverflowError("more digits than microseconds")
    return value


def date_of(days, _):
    return datetime.date.fromordinal(days + EPOCH_DAY) if days + EPOCH_DAY > 0 else _too_early()


def _too_early():
    raise OverflowError("before the year 1")


def datetime_of(count, unit_ns):
    return EPOCH + datetime.timedelta(microseconds=microseconds(count, unit_ns))


def instant_of(count, unit_ns):
    return EPOCH_UTC + datetime.timedelta(microseconds=microseconds(count, unit_ns))


def span_of(count, unit_ns):
    return datetime.timedelta(microseconds=microseconds(count, unit_ns))


def time_of(count, unit_ns):
    if not 0 <= count * unit_ns < DAY:
        raise OverflowError("no time of a day")
    return (EPOCH + span_of(count, unit_ns)).time()


def decimal_of(scale, little_endian):
    unscaled = int.from_bytes(little_endian, "little", signed=True)
    return decimal.Decimal(unscaled).scaleb(-scale, EXACT)


def _count(span, unit_ns):
    total = (span.days * 86_400 + span.seconds) * 1_000_000_000 + span.microseconds * 1000
    count, rest = divmod(total, unit_ns)
    if rest:
        raise ValueError(f"{span} has more digits than the column's unit")
    return count


def days_of(value, _):
    if not isinstance(value, datetime.date):
        raise TypeError(f"a datetime.date is required, not {type(value).__name__}")
    return value.toordinal() - EPOCH_DAY


def time_count(value, unit_ns):
    if not isinstance(value, datetime.time):
        raise TypeError(f"a datetime.time is required, not {type(value).__name__}")
    return _count(datetime.datetime.combine(EPOCH, value.replace(tzinfo=None)) - EPOCH, unit_ns)


def span_count(value, unit_ns):
    if not isinstance(value, datetime.timedelta):
        raise TypeError(f"a datetime.timedelta is required, not {type(value).__name__}")
    return _count(value, unit_ns)


def _need_datetime(value):
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"a datetime.datetime is required, not {type(value).__name__}")


def datetime_count(value, unit_ns):
    """For a column without a time zone: what the clock shows."""
    _need_datetime(value)
    return _count(value.replace(tzinfo=None) - EPOCH, unit_ns)


def instant_count(value, unit_ns):
    """For a column with one: a datetime without is taken in the process's local time, as PySpark does."""
    _need_datetime(value)
    return _count(value.astimezone(datetime.timezone.utc) - EPOCH_UTC, unit_ns)


def decimal_bytes(value, precision, scale, width):
    if isinstance(value, float) or not isinstance(value, (decimal.Decimal, int)):
        raise TypeError(f"a decimal.Decimal is required, not {type(value).__name__}")
    value = decimal.Decimal(value)
    if not value.is_finite():
        raise ValueError(f"{value} is no number that decimal({precision}, {scale}) holds")
    try:
        unscaled = int(value.scaleb(scale, EXACT).to_integral_exact(context=EXACT))
    except decimal.DecimalException:
        raise ValueError(f"{value} has more digits than decimal({precision}, {scale})") from None
    if abs(unscaled) >= 10**precision:
        raise ValueError(f"{value} has more digits than decimal({precision}, {scale})")
    return unscaled.to_bytes(width, "little", signed=True)
