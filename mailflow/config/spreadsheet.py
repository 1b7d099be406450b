"""Reads a spreadsheet's CSV as programs write it: encoding, delimiter and header row are found out, not asked for.

What a cell says is given on as it stands. Rows keep the number that a spreadsheet program shows for them, so that a
problem can be found there. Everything is bounded.
"""

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mailflow.config.notation import shown
from mailflow.config.report import Report

BYTES_LIMIT = 30_000_000  # 50,000 contacts with every column that a PSA exports come to about half of it
ROWS_LIMIT = 100_000
COLUMNS_LIMIT = 500  # PSAs export up to about a hundred
HEADER_WITHIN = 10  # rows: reports begin with a title, a date and a blank line
DELIMITERS = (",", ";", "\t")  # which of the first two Excel writes depends on the country
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # what Excel reads as an instruction, and hides
WORKBOOK = b"PK\x03\x04"  # .xlsx is a ZIP archive

# How well a row would do as the header: how many of its cells are known columns.
Score = Callable[[Sequence[str]], int]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row below the header, as many cells as the header has."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A spreadsheet: its header, and the rows under it that hold anything."""

    file: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(file: str, raw: bytes, score: Score, report: Report) -> Sheet | None:
    """The spreadsheet in these bytes; None where there is none, which has been reported."""
    if len(raw) > BYTES_LIMIT:
        report.problem(file, "", f"larger than {BYTES_LIMIT // 1_000_000} MB; export only clients and contacts")
        return None
    if raw.startswith(WORKBOOK):
        report.problem(file, "", "an Excel workbook; save it as `CSV UTF-8` and import that file")
        return None
    text = _decoded(file, raw, report)
    if text is None:
        return None
    delimiters: Sequence[str] = DELIMITERS
    if told := SEPARATOR_LINE.match(text):
        text, delimiters = text[told.end() :], (told[1],)
    delimiter, header_at = _layout(text, delimiters, score)
    records = _records(file, text, delimiter, report)
    if records is None:
        return None
    if header_at >= len(records):
        report.problem(file, "", "empty; export clients and contacts, with the names of the columns in the first row")
        return None
    header = tuple(" ".join(cell.split()) for cell in records[header_at])
    if len(header) > COLUMNS_LIMIT:
        report.problem(file, f"row {header_at + 1}", f"more than {COLUMNS_LIMIT} columns; export fewer")
        return None
    rows = [
        Row(number=number, cells=_fitted(file, number, record, header, report))
        for number, record in enumerate(records[header_at + 1 :], header_at + 2)
        if any(cell.strip() for cell in record)
    ]
    return Sheet(file=file, header=header, rows=tuple(rows))


def _decoded(file: str, raw: bytes, report: Report) -> str | None:
    """The text: UTF-8 or UTF-16 where it can be that, else Windows' Western code page."""
    encodings = ["utf-8-sig", "cp1252"]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif raw[:200].count(0) * 3 > len(raw[:200]):  # UTF-16 without its mark: half of Western text's bytes are null
        encodings = ["utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"]
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    report.problem(file, "", "neither UTF-8 nor UTF-16 nor Windows text; save it as `CSV UTF-8`")
    return None


def _layout(text: str, delimiters: Iterable[str], score: Score) -> tuple[str, int]:
    """The delimiter, and how many records stand above the header: as most columns become known."""
    best = (-1, -1, "", 0)
    for delimiter in delimiters:
        records: list[list[str]] = []
        with contextlib.suppress(csv.Error):  # told when all is read
            records.extend(
                itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), HEADER_WITHIN)
            )
        for at, record in enumerate(records):
            if any(record) and (score(record), len(record)) > best[:2]:
                best = (score(record), len(record), delimiter, at)
    return best[2] or DELIMITERS[0], best[3]


def _records(file: str, text: str, delimiter: str, report: Report) -> list[list[str]] | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[list[str]] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) > ROWS_LIMIT:
                report.problem(file, "", f"more than {ROWS_LIMIT:,} rows; split it")
                return None
    except csv.Error:
        text = f"a quotation mark too many or too few, at line {reader.line_num}; double those within a value"
        report.problem(file, f"row {len(records) + 1}", text)
        return None
    return records


def _fitted(file: str, number: int, record: list[str], header: Sequence[str], report: Report) -> tuple[str, ...]:
    """A record as wide as the header: programs leave out empty cells at the end, or add some."""
    if extra := [cell for cell in record[len(header) :] if cell.strip()]:
        text = f"{shown(extra[0])} stands to the right of the last column; put values with a delimiter between quotes"
        report.problem(file, f"row {number}", text)
    return (*record[: len(header)], *[""] * (len(header) - len(record)))
