"""Pages for a browser: facts and a template become one HTML file that needs nothing else and fetches nothing."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from mailflow.writing.render import WIDTH, TemplateError

HARD = ("|", "- ", " ")  # a line that begins so stands for itself


def page(source: str, values: Mapping[str, object], *, timezone: str) -> str:
    """The page; TemplateError where its template cannot be used. What came in by mail is never markup."""
    zone = ZoneInfo(timezone)
    environment = SandboxedEnvironment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        day=lambda moment: _local(moment, zone, "%d %b %Y"),
        moment=lambda moment: _local(moment, zone, "%d %b %H:%M"),
        counted=counted,
        unwrapped=unwrapped,
    )
    try:
        return environment.from_string(source).render(values)
    except jinja2.TemplateError as error:
        raise TemplateError(f"pages: {' '.join(str(error).split())}") from error


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 mail", "2 mails"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _local(moment: datetime | None, zone: ZoneInfo, form: str) -> str:
    return f"{moment.astimezone(zone):{form}}" if moment else ""


def unwrapped(text: str) -> str:
    """A letter's text part with its wrapped lines joined again, so that a narrow window can wrap them anew."""
    out: list[str] = []
    before = ""
    for line in text.splitlines():
        first = line.partition(" ")[0]
        wrapped = before and first and len(before) + 1 + len(first) > WIDTH
        if wrapped and not line.startswith(HARD) and not before.startswith("|"):
            out[-1] += f" {line}"
        else:
            out.append(line)
        before = line
    return "\n".join(out)
