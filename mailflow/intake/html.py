"""A text/html body as lines, the way its reader saw it: for aligning a reply, and for a recipe to match.

Promises: nothing is fetched, run or re-emitted; what is hidden or struck through is not there; a body of any depth is
walked without recursion, and only a bounded part of a huge one.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailflow.domain.mail import Line, Mark
from mailflow.intake.elements import (
    Look,
    names_of,
    picture,
    quote_start,
    squeezed_style,
    tells_mark,
    unseen,
)
from mailflow.intake.quoting import INVISIBLE, MAX_LINES, marked

MAX_CHARACTERS = 2_000_000  # of markup; Outlook writes forty characters of it for one of text
MAX_NODES = 200_000  # a long thread in Outlook's HTML has twenty thousand
MAX_DEPTH = 32  # quotes and lists deeper than this are all alike
MAX_CELL_LINES = 6  # a table cell with more is layout, not a label or its value
MAX_NESTING = 2_000  # elements; a parser's time grows with the square of it, and no client nests a tenth as deep
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})[^>]{0,300}>")
_VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr"})  # elements without an end
_WHITE = re.compile(r"[ \t\r\n\f]+")


def html_lines(html: str) -> tuple[Line, ...]:
    """The lines of an HTML body, with the depth of their quote and marks; see domain.mail.Line."""
    writer = _Writer()
    _walk(html, writer)
    return marked(_trimmed(writer.lines))


def readable(html: str) -> str:
    """The visible text of an HTML body for recipes to match.

    A row of two cells reads "Label: value", other rows' cells are joined by a blank; a link's target follows its
    text in parentheses.
    """
    writer = _Writer(tabular=True)
    _walk(html, writer)
    text = "\n".join(" ".join(line.text.split()) for line in _trimmed(writer.lines))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


@dataclass
class _Row:
    """A table row being read: where its present cell began among the lines, and the cells before it."""

    start: int
    cells: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)  # the lines of the first cell: a row of one cell keeps them
    layout: bool = False  # holds whole passages or further tables: its lines stay as they are


@dataclass
class _Open:
    """An open element: what it is, and what it changed, so that its end can change it back."""

    tag: str
    look: Look
    mark: Mark
    pre: bool
    number: int = 0  # of a list: its last item's
    target: str = ""  # of a link
    said: int = 0  # of a link: how many words stood on the line before it


@dataclass
class _Writer:
    """Turns a walk over elements into lines."""

    tabular: bool = False  # rows as "Label: value" and links with their targets
    lines: list[Line] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    lists: list[_Open] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # of the line being written
    marker: str = ""  # of a list item whose text has not begun
    gap: bool = False  # a paragraph ended: a blank line before whatever follows
    depth: int = 0
    below: bool = False

    def enter(self, node: LexborNode, tag: str) -> bool:
        """Open an element; False where none of its content is to be walked."""
        attributes = node.attributes
        style = squeezed_style(attributes)
        if unseen(tag, attributes, style):
            return False
        if tag in {"br", "img"}:
            if tag == "br":
                self.end_line(always=True)
            else:
                self.write(picture(attributes))
            return False
        if "mso-list:ignore" in style:  # the bullet or number that Word draws before a list paragraph
            glyph = "".join(node.text(deep=True).split())
            self.marker = f"{glyph} " if any(c.isalnum() for c in glyph[:-1]) else "- "
            return False
        names = names_of(attributes)
        look = Look.of(tag, names, style, attributes)
        parent = self.open[-1] if self.open else None
        mark = tells_mark(names, style) or (parent.mark if parent and not look.quotes else Mark.TEXT)
        element = _Open(tag=tag, look=look, mark=mark, pre=look.pre or bool(parent and parent.pre))
        if look.block:
            self.end_line()
            self.gap = self.gap or (look.paragraph and not self.lists)
        self.depth += look.quotes
        # Gmail's own Quote button makes a blockquote so named too: the quote of the mail stands in a div with its head.
        typed = tag == "blockquote" and not self.below
        self.below = self.below or mark is Mark.HEADER or (quote_start(names) and not typed)
        if tag in {"ol", "ul"}:
            element.number = _number(attributes.get("start"), 1) - 1
            self.lists.append(element)
        elif tag == "li":
            self._begin_item(_number(attributes.get("value"), 0))
        elif self.tabular:
            self._begin_tabular(element, attributes.get("href") or "")
        self.open.append(element)
        return True

    def leave(self) -> None:
        """Close the element opened last."""
        element = self.open[-1]
        if self.tabular:
            self._end_tabular(element)
        if element.look.block:
            self.end_line()
        elif element.tag in {"td", "th"}:
            self.write(" ")
        self.open.pop()
        self.gap = self.gap or (element.look.paragraph and not self.lists)
        self.depth -= element.look.quotes
        if element.tag in {"ol", "ul"}:
            self.lists.pop()
        elif element.tag == "li":
            self.marker = ""

    def write(self, text: str) -> None:
        """Add text to the line being written."""
        text = text.translate(INVISIBLE)
        if self.open and self.open[-1].pre:
            first, *others = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self.words.append(first)
            for other in others:
                self.end_line(always=True)
                self.words.append(other)
            return
        text = _WHITE.sub(" ", text)
        if text.startswith(" ") and (not self.words or self.words[-1].endswith(" ")):
            text = text[1:]
        if text:
            self.words.append(text)

    def end_line(self, *, always: bool = False) -> None:
        """Write the line that stands open; `always` writes a blank one where nothing does (a <br>)."""
        text = "".join(self.words).replace("\xa0", " ")
        self.words.clear()
        if not (text or always):
            return
        # "-- " is a signature's mark (RFC 3676 4.3), so that its blank must live; any other line's end is trimmed.
        text = "-- " if text == "-- " else text.rstrip()
        mark, depth = self.open[-1].mark if self.open else Mark.TEXT, min(self.depth, MAX_DEPTH)
        if self.gap and text and self.lines and self.lines[-1].text:
            shallower = min(depth, self.lines[-1].depth)
            self.lines.append(Line(text="", depth=shallower, below=self.below))
        self.gap = False
        if text:
            text, self.marker = self.marker + text, ""
        self.lines.append(Line(text=text, depth=depth, below=self.below, mark=mark))

    def _begin_item(self, number: int) -> None:
        if not self.lists:
            self.marker = "- "
            return
        inner = self.lists[-1]
        inner.number = number or inner.number + 1
        indent = "  " * (min(len(self.lists), MAX_DEPTH) - 1)
        self.marker = f"{indent}{inner.number}. " if inner.tag == "ol" else f"{indent}- "

    def _begin_tabular(self, element: _Open, target: str) -> None:
        if element.tag == "a" and target.lower().startswith(("http://", "https://")):
            element.target, element.said = target.strip(), len(self.words)
        elif element.tag == "tr":
            for row in self.rows[-1:]:
                row.layout = True  # a table inside a table's cell
            self.rows.append(_Row(start=len(self.lines)))
        elif element.tag in {"td", "th"} and self.rows:
            self.end_line()
            self.rows[-1].start = len(self.lines)

    def _end_tabular(self, element: _Open) -> None:
        if element.target:
            if element.target not in "".join(self.words[element.said :]):
                self.write(f" ({element.target})")
        elif element.tag in {"td", "th"} and self.rows:
            self.end_line()
            row = self.rows[-1]
            cell = [line.text for line in self.lines[row.start :]]
            row.layout = row.layout or len(cell) > MAX_CELL_LINES
            if not row.layout:
                row.first = row.first if row.cells else cell
                row.cells.append(" ".join(filter(None, map(str.strip, cell))))
                del self.lines[row.start :]
        elif element.tag == "tr" and self.rows:
            for text in _row_lines(self.rows.pop()):
                self.lines.append(Line(text=text, depth=min(self.depth, MAX_DEPTH), below=self.below))


def _row_lines(row: _Row) -> list[str]:
    if row.layout:
        return [cell for cell in row.cells if cell]
    if len(row.cells) == 1:
        return [line for line in row.first if line.strip()]
    if len(row.cells) == len(("label", "value")) and row.cells[0]:
        label, value = row.cells
        return [f"{label.rstrip(' :：')}: {value}".rstrip()]
    return [" ".join(filter(None, row.cells))] if any(row.cells) else []


def _walk(html: str, writer: _Writer) -> None:
    """Visit what can be seen, in order, keeping the place in the tree itself instead of on the stack."""
    root = LexborHTMLParser(_shallow(html[:MAX_CHARACTERS])).body
    node, entering, inside = root, True, 0
    for _ in range(2 * MAX_NODES):
        if node is None or len(writer.lines) > MAX_LINES:
            break
        if entering:
            if node.is_text_node:
                writer.write(node.text_content or "")
            elif node.is_element_node and writer.enter(node, (node.tag or "").lower()):
                inside += 1
                if child := node.first_child:
                    node = child
                    continue
                writer.leave()
                inside -= 1
        else:
            writer.leave()
            inside -= 1
        if not inside:
            break
        if following := node.next:
            node, entering = following, True
        else:
            node, entering = node.parent, False
    writer.end_line()


def _shallow(html: str) -> str:
    """The same markup; where elements nest beyond all reason, the inmost ones become line ends, their text stays."""
    if html.count("<") <= MAX_NESTING:
        return html
    unclosed: Counter[str] = Counter()
    nested = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal nested
        name = tag[2].lower()
        if name in _VOID:
            return tag[0]
        if tag[1]:
            if not unclosed[name]:
                return ""
            unclosed[name] -= 1
            nested -= 1
            return tag[0]
        if nested >= MAX_NESTING:
            return "<br>"
        unclosed[name] += 1
        nested += 1
        return tag[0]

    return _TAG.sub(keep, html)


def _number(value: str | None, otherwise: int) -> int:
    """A list's or item's number attribute, where it is a sane one."""
    return int(value) if value and value.isdecimal() and len(value) < len("10000") else otherwise


def _trimmed(lines: list[Line]) -> list[Line]:
    """Without blank lines at either end."""
    while lines and not lines[-1].text:
        lines.pop()
    first = next((n for n, line in enumerate(lines) if line.text), 0)
    return lines[first:]
