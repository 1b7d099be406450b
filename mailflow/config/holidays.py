"""Holidays as an MSP names them: by country and region, with days of its own added or taken out, and half days.

`holidays = "US-NY"` in `[service]` is everybody's, at a client it is the client's own. Which days these are comes from
a library, once for each country and region; what leaves this module are dates.
"""

import contextlib
import functools
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Self

from holidays import country_holidays, list_supported_countries
from holidays.registry import COUNTRIES
from pydantic import PlainValidator, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from mailflow.config.calendar import day
from mailflow.config.notation import nearest, shown
from mailflow.config.table import Faults, Table
from mailflow.domain.calendar import Holidays

NONE = "none"
# Past ones for what began then and for rehearsals; the others outlast any service that is never started anew.
YEARS_BACK, YEARS_AHEAD = 1, 8
LIKE = 'write it like "US", "US-NY" or "NL"'
A_DAY = 'write it like "2026-12-24", or "2026-12-24 12:00" for a half day that ends then'


@dataclass(frozen=True, kw_only=True)
class Added:
    """A day on which nobody works, or only until a time: minutes after midnight."""

    day: date
    ends: int | None = None


def added(value: object) -> Added:
    """A holiday of one's own; with a time, a half day that ends then."""
    read = value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):  # the 30th of February
            read = date.fromisoformat(value) if len(value) == len("2026-12-24") else datetime.fromisoformat(value)
    if isinstance(read, datetime) and not read.tzinfo and not read.second and not read.microsecond:
        if ends := read.hour * 60 + read.minute:
            return Added(day=read.date(), ends=ends)
    elif isinstance(read, date) and not isinstance(read, datetime):
        return Added(day=read)
    raise ValueError(f"{shown(value)} is no day; {A_DAY}")


AddedDay = Annotated[Added, PlainValidator(added)]
RemovedDay = Annotated[date, PlainValidator(day)]


class HolidaysEntry(Table):
    """`holidays = …`: of a country and region, with what is otherwise here."""

    country: str | None = None  # at a client without one: the service's country and region
    region: str | None = None
    add: tuple[AddedDay, ...] = ()
    remove: tuple[RemovedDay, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        """A country and a region that there are, and no day in two ways."""
        faults = []
        if self.country is not None and self.country != NONE:
            try:
                _place(self.country, self.region or "")
            except _UnknownCountryError as error:
                faults.append(("country", str(error)))
            except ValueError as error:
                faults.append(("region", str(error)))
        elif self.region is not None:
            faults.append(("region", "only used with `country`; write that too, or leave this out"))
        days = [one.day for one in self.add]
        for twice in sorted({d for d in days if days.count(d) > 1}):
            faults.append(("add", f"`{twice}` is listed twice; keep one"))
        for both in sorted({*days} & {*self.remove}):
            faults.append(("remove", f"`{both}` is added too; keep one"))
        if faults:
            raise Faults(*faults)
        return self


class _UnknownCountryError(ValueError):
    """There is no such country, or nothing is known of its holidays."""


def named(value: object, handler: ValidatorFunctionWrapHandler) -> HolidaysEntry:
    """Short or as a table: "US-NY" is { country = "US", region = "NY" }, and "none" is no holiday at all."""
    if not isinstance(value, str):
        entry: HolidaysEntry = handler(value)
        return entry
    if value.strip().casefold() == NONE:
        return HolidaysEntry(country=NONE)
    country, _, region = value.strip().partition("-")
    _place(country, region)
    return HolidaysEntry(country=country, region=region or None)


HolidaysOf = Annotated[HolidaysEntry, WrapValidator(named)]


def holidays_of(own: HolidaysEntry | None, service: HolidaysEntry | None, year: int) -> Holidays:
    """A client's holidays, around a year. One that names no country has the service's, and what it says itself."""
    entries = _entries(own, service)
    days = set(_of_country(entries, year))
    half: dict[date, int] = {}
    for entry in entries:
        for gone in (*entry.remove, *(one.day for one in entry.add)):
            days.discard(gone)
            half.pop(gone, None)
        days.update(one.day for one in entry.add if one.ends is None)
        half.update({one.day: one.ends for one in entry.add if one.ends is not None})
    return Holidays(days=frozenset(days), half_days=half)


def removed_in_vain(own: HolidaysEntry, service: HolidaysEntry | None, year: int) -> list[date]:
    """Days that an entry takes out though they are no holidays: probably mistyped."""
    entries = _entries(own, service)
    there = _of_country(entries, year) | {one.day for entry in entries[:-1] for one in entry.add}
    return [gone for gone in own.remove if gone not in there and gone.year in _years(year)]


def _entries(own: HolidaysEntry | None, service: HolidaysEntry | None) -> list[HolidaysEntry]:
    """What counts, the later one more: a country of one's own takes the service's place."""
    return [entry for entry in ((own,) if own and own.country else (service, own)) if entry]


def _of_country(entries: list[HolidaysEntry], year: int) -> frozenset[date]:
    country, region = (entries[0].country, entries[0].region) if entries else (None, None)
    return _days(country, region or "", year) if country and country != NONE else frozenset()


def _years(year: int) -> range:
    return range(year - YEARS_BACK, year + YEARS_AHEAD + 1)


@functools.cache
def _days(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of a place, as they are kept: those that fall on a weekend with the day instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of some countries fewer years are known; the others are plain days
        return frozenset(country_holidays(country, subdiv=region or None, years=_years(year)))


def _place(country: str, region: str) -> None:
    """ValueError where there is no such country, or no such region in it."""
    regions = _countries().get(country)
    if regions is None:
        nearby = _near_country(country)
        todo = f"did you mean {nearby}?" if nearby else LIKE
        raise _UnknownCountryError(f"no holidays are known of {shown(country)}; {todo}")
    if region and region not in regions:
        if not regions:
            raise ValueError(f"`{country}` has no regions here; write `{country}` alone")
        near = nearest(region, regions)
        codes = list_supported_countries(include_aliases=False).get(country) or regions
        todo = f"did you mean `{near}`?" if near else f"write one of {_listed(codes)}"
        raise ValueError(f"`{country}` has no region {shown(region)}; {todo}")


@functools.cache
def _countries() -> dict[str, list[str]]:
    """Each country's code with its regions."""
    return {country: list(regions) for country, regions in list_supported_countries(include_aliases=True).items()}


def _near_country(word: str) -> str:
    """The codes that a wrong one was probably meant to be: by the country's name, else with the same letters."""
    names = {name.replace("_", " "): codes[1] for name, codes in COUNTRIES.items()}
    if word.upper() in _countries():
        return f"`{word.upper()}`"
    if name := nearest(word, names):
        return f"`{names[name]}`"
    code, _, rest = word.partition("-")
    if code in _countries():
        return f'`{code}` with `region = "{rest}"`'
    return _listed(c for c in sorted(_countries()) if len(c) == len("US") and c[0] == word[:1].upper())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
