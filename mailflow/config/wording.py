"""Validation errors in an administrator's words: `path: what is wrong; what to do`, never a secret's value.

Validates one raw entry against its model. Where it has errors, they are reported, the wrong parts are cut out, and
what is left is validated again if possible, so that the checks between entries still see it and everything that is
wrong comes at once.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailflow.config.notation import nearest, shown
from mailflow.config.report import Report
from mailflow.config.source import RawEntry, inside
from mailflow.config.table import Faults, Table

T = TypeVar("T", bound=Table)
Place = tuple[str | int, ...]

# What each kind of error means to somebody who has never heard of a validation library.
PLAIN = {
    "string_type": 'must be text; write it between quotes, like "…"',
    "int_type": "must be a whole number; write it without quotes",
    "bool_type": "must be true or false; write it without quotes",
    "too_short": "empty; write at least one",
    "tuple_type": 'must be a list; write it like ["…", "…"]',
    "dict_type": "must be a table; write it as { key = value }",
    "mapping_type": "must be a table; write it as { key = value }",
    "model_type": "must be a table; write it as { key = value }",
}


def validate(model: type[T], entry: RawEntry, report: Report) -> T | None:
    """The entry as its model, or as much of it as is right; None where even that cannot stand."""
    raw: Any = entry.raw
    wrong: list[Place] = []
    for _ in range(2):  # as written, and with what was wrong cut out
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        seen = tuple(wrong)
        for detail in details:
            for loc, where, text in _told(model, entry, detail):
                # What follows from something cut out has been told.
                if not any(loc[: len(w)] == w or w[: len(loc)] == loc for w in seen):
                    report.problem(entry.file, entry.path(*where), text)
                wrong.append(loc)
        raw = _without(entry.raw, wrong)
    return None


def _told(model: type[Table], entry: RawEntry, detail: ErrorDetails) -> Iterator[tuple[Place, Place, str]]:
    """An error as (what is wrong, where to say so, words) each."""
    loc, kind, context = tuple(detail["loc"]), detail["type"], detail.get("ctx", {})
    cause = context.get("error")
    if kind == "default_factory_not_called":  # follows from another error
        return
    if isinstance(cause, Faults):
        for key, text in cause.faults:
            place = (*loc, *(key.split(".") if key else ()))
            yield place, place, text
    elif kind == "extra_forbidden":
        yield loc, loc[:-1], _unknown(str(loc[-1]), _known_keys(model, loc[:-1]))
    elif loc and loc[-1] == "[key]":
        yield loc[:-1], loc[:-2], _unknown(str(loc[-2]), _words(context))
    else:
        yield loc, loc, str(cause) if isinstance(cause, ValueError) else _said(model, entry, loc, kind, context)


def _said(model: type[Table], entry: RawEntry, loc: Place, kind: str, context: Mapping[str, Any]) -> str:
    if kind == "missing":
        return f"missing; write {_description(model, loc)}"
    if kind in {"enum", "literal_error"}:
        return _one_of(entry, loc, _words(context))
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = context.get("ge", context.get("le"))
        return f"must be at {'least' if 'ge' in context else 'most'} {bound}; change the number"
    if kind == "tuple_type" and isinstance(entry.at(loc), dict):
        return f"must be a list of tables; write [[{entry.section}.{loc[-1]}]] above each, with two brackets"
    return PLAIN.get(kind, "not valid here; see the shipped config.toml for what may stand here")


def _unknown(key: str, known: list[str]) -> str:
    near = nearest(key, known)
    return f"unknown key {shown(key)}; " + (
        f"did you mean `{near}`?" if near else f"known here are {', '.join(f'`{name}`' for name in known)}"
    )


def _one_of(entry: RawEntry, loc: Place, words: list[str]) -> str:
    value = entry.at(loc)
    choice = " or ".join(filter(None, (", ".join(f"`{w}`" for w in words[:-1]), f"`{words[-1]}`")))
    if isinstance(value, str):  # no secret is ever one of a list of words
        return f"unknown word {shown(value)}; write {choice}"
    return f"not one of the words known here; write {choice}"


def _words(context: Mapping[str, Any]) -> list[str]:
    """The words that an enumeration takes, out of "'off', 'review' or 'auto'"."""
    return [part for part in str(context.get("expected", "")).split("'")[1::2] if part]


def _known_keys(model: type[Table], loc: Place) -> list[str]:
    table = _table(model, loc)
    return list(table.model_fields) if table else []


def _description(model: type[Table], loc: Place) -> str:
    table = _table(model, loc[:-1])
    field = table.model_fields.get(str(loc[-1])) if table else None
    return (field.description if field else None) or f"`{loc[-1]}`"


def _table(model: type[Table], loc: Place) -> type[Table] | None:
    """The model of the table at a place."""
    table: type[Table] | None = model
    for part in loc:
        if isinstance(part, str) and table:
            field = table.model_fields.get(part)
            table = _table_in(field.annotation) if field else None
    return table


def _table_in(annotation: Any) -> type[Table] | None:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _table_in(arg))), None)


def _without(raw: Mapping[str, object], wrong: list[Place]) -> dict[str, Any]:
    """A copy of an entry without the places named: whole elements of lists, single keys of tables."""
    left: dict[str, Any] = copy.deepcopy(dict(raw))
    elements: set[Place] = set()
    for loc in wrong:
        number = next((i for i, part in enumerate(loc) if isinstance(part, int)), None)
        if number is None:
            _drop(left, loc)
        else:
            elements.add(loc[: number + 1])
    for loc in sorted(elements, key=lambda place: int(place[-1]), reverse=True):  # from behind: numbers shift
        _drop(left, loc)
    return left


def _drop(table: dict[str, Any], loc: Place) -> None:
    above = inside(table, loc[:-1])
    if isinstance(above, list) and isinstance(loc[-1], int):
        del above[loc[-1]]
    elif isinstance(above, dict) and loc:
        above.pop(loc[-1], None)
