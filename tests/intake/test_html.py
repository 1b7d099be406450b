"""HTML bodies as lines and as readable text."""

import pytest

from mailflow.domain.mail import Mark
from mailflow.intake.html import html_lines, readable


def texts(html: str) -> list[str]:
    """The lines' words alone."""
    return [line.text for line in html_lines(html)]


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("one<br>two<br><br>three", ["one", "two", "", "three"]),
        ("<div>one</div><div><br></div><div>two<br></div>three", ["one", "", "two", "three"]),
        ("<p>one</p>\n<p>two</p>", ["one", "", "two"]),
        (
            "<p class=MsoNormal>one</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>two",
            ["one", "", "two"],
        ),
        ("<p style='margin:0cm'>one</p><p style='margin: 0'>two</p>", ["one", "two"]),
        (
            "<ul><li>a</li><li><p>b</p></li></ul><ol start=3><li>c<ul><li>d</li></ul></li></ol>",
            ["- a", "- b", "3. c", "  - d"],
        ),
        ("a&nbsp;b \n  c", ["a b c"]),
        ("<pre>a  b\n  c</pre>", ["a  b", "  c"]),
        ("<s>old</s><del>x</del><span style='text-decoration: line-through'>y</span> new", ["new"]),
        ("<style>x</style><script>y</script><div style='display: none'>z</div><p hidden>q</p>seen", ["seen"]),
        ("a<img src=x alt='👍'>b<img alt='Example logo'>", ["a👍b"]),
        ("&gt; typed", ["> typed"]),
        (
            "<p class=MsoListParagraph><![if !supportLists]><span style='mso-list:Ignore'>1.<span>&nbsp; </span></span>"
            "<![endif]>first</p><p class=MsoListParagraph><span style='mso-list:Ignore'>·&nbsp;</span>dot</p>",
            ["1. first", "- dot"],
        ),
        ("", []),
        ("<html><body></body></html>", []),
    ],
)
def test_layout(html: str, lines: list[str]) -> None:
    """Lines are what a reader sees: breaks, paragraphs, lists; nothing hidden, nothing struck through."""
    assert texts(html) == lines


@pytest.mark.parametrize(
    "start",
    [
        '<div class="gmail_quote"><div class="gmail_attr">Ann wrote:</div>',
        '<div id="appendonsend"></div>',
        '<div id="x_divRplyFwdMsg"><b>From:</b> Ann</div>',
        '<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><b>From:</b> A</div>',
        '<div class="moz-cite-prefix">Ann wrote:</div>',
        '<div id="ydp12ab34cdyahoo_quoted_1">',
        '<div id="mail-editor-reference-message-container">',
        '<div class="m_123456gmail_quote">',
        "<blockquote type=cite>",
        "<div>-------- Original message --------</div>",
    ],
)
def test_where_quotes_start(start: str) -> None:
    """Each client's element begins the quote, also as another client quotes it again."""
    lines = [line for line in html_lines(f"<div>new</div>{start}<div>old</div>") if line.text]
    assert (lines[0].text, lines[0].below) == ("new", False)
    assert (lines[-1].text, lines[-1].below) == ("old", True)


def test_depth() -> None:
    """Blockquotes count, those that only indent do not; text between them is unquoted."""
    html = (
        "<blockquote>a<blockquote>b</blockquote></blockquote>c"
        '<blockquote style="margin: 0 0 0 40px; border: none; padding: 0px;">d</blockquote>'
    )
    assert [(line.text, line.depth) for line in html_lines(html)] == [("a", 1), ("b", 2), ("c", 0), ("d", 0)]


def test_signature_elements() -> None:
    """A client's signature element is marked, and ends with the element."""
    lines = html_lines('a<div class="gmail_signature">Paul<br>Jones</div><div>b</div>')
    assert [line.mark for line in lines] == [Mark.TEXT, Mark.SIGNATURE, Mark.SIGNATURE, Mark.TEXT]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<table><tr><th>Host:</th><td>srv1</td></tr><tr><td>State</td><td>DOWN</td></tr></table>",
            "Host: srv1\nState: DOWN",
        ),
        ("<table><tr><td>a</td><td>b</td><td>c</td></tr></table>", "a b c"),
        ("<table><tr><td><table><tr><td>K</td><td>V<br>W</td></tr></table></td></tr></table>", "K: V W"),
        ("<b>Host:</b> x<br><b>State:</b>&nbsp;up", "Host: x\nState: up"),
        ('see <a href="https://e.example/x">details</a>', "see details (https://e.example/x)"),
        ('<a href="https://e.example/x">https://e.example/x</a>', "https://e.example/x"),
        ('<a href="javascript:x()">no</a>', "no"),
        ("<title>t</title><div style='display:none'>preheader</div>seen", "seen"),
        ("<table><tr><td>only</td></tr></table>after", "only\nafter"),
    ],
)
def test_readable(html: str, text: str) -> None:
    """A recipe sees labels with their values, links with their targets, and nothing hidden."""
    assert readable(html) == text


@pytest.mark.soak
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000 + "deep",
        "<blockquote>" * 20_000 + "deep",
        "<ul><li>" * 20_000 + "deep",
        "<div></x>" * 50_000 + "deep",
        "<div/>" * 20_000 + "deep",
        "<b><div></b>" * 20_000 + "deep",
        '<div a="<">' * 50_000 + "deep",
    ],
    ids=lambda h: h[:12],
)
def test_deep_nesting(html: str) -> None:
    """Twenty thousand nested elements are walked in time, and their text is still there."""
    assert html_lines(html)[-1].text.endswith("deep")
    assert "deep" in readable(html)


@pytest.mark.soak
@pytest.mark.parametrize(
    "html", ["<" * 1_000_000, "<p>x" * 200_000, "<td>" * 200_000, "a" * 1_000_000, "<a " * 300_000]
)
def test_huge_bodies(html: str) -> None:
    """A huge body is read up to its bounds, in time."""
    html_lines(html)
