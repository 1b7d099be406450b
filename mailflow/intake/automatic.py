"""Whether a mail was written by a machine: two questions with two answers.

`automatic` is why a mail must not be answered (RFC 3834 2); `auto_reply` is why it is an answering machine's own
words, which open nothing and publish nothing. A mailing list's mail is the first and not the second.
"""

import re
from collections.abc import Callable

from mailflow.intake.parse import Message

# Phrases that answering machines begin their subject with. What may follow decides: "Out of office: Re: VPN" is a
# machine, "Out of office hours the server crashed" is a client.
_PHRASES = (
    r"automatic reply|auto[ -]?reply|automated reply|automatic response|auto[ -]?response|auto:|"
    r"out of (?:the )?office(?: auto(?:matic)?[ -]?reply)?|out-of-office(?: reply)?|ooo|on vacation|vacation reply|"
    r"automatische antwort|abwesend|abwesenheitsnotiz|abwesenheit|abwesenheitsbenachrichtigung|außer haus|"
    r"réponse automatique|reponse automatique|absence du bureau|absent du bureau|message d'absence|"
    r"respuesta automática|respuesta automatica|fuera de la oficina|ausente|"
    r"risposta automatica|fuori sede|fuori ufficio|"
    r"automatisch antwoord|automatische beantwoording|afwezig|afwezigheid|afwezigheidsbericht|niet aanwezig|"
    r"autosvar|automatiskt svar|automatisk svar|frånvaro|fravær|frånvarande|ikke til stede|"
    r"automaattinen vastaus|poissa|"
    r"automatyczna odpowied(?:ź|z)|autoodpowied(?:ź|z)|poza biurem|"
    r"автоответ|автоматический ответ|нет на месте|автоматична відповідь|"
    r"automatická odpověď|automatická odpoveď|mimo kancelář|automatikus válasz|răspuns automat|"
    r"resposta automática|resposta automatica|fora do escritório|ausência|"
    r"otomatik yanıt|otomatik cevap|αυτόματη απάντηση|"
    r"自動返信|自動応答|不在通知|不在連絡|自动回复|自动答复|自動回覆|자동 회신|부재중|תשובה אוטומטית|رد تلقائي"
)
_FOLLOWED_BY = (
    r"(?:\s*$|\s*[:：\-–—|(\[!.,/【]|\s+(?:re|aw|fw|fwd|antw|sv|tr|until|till|from|through|bis|vom|von|ab|tot|van|t/m|"
    r"jusqu|du|au|hasta|fino|al|do|reply|message|notification|auto|för|til|this week|today|tomorrow)\b)"
)
_TAGGED = r"^(?:\[(?:external|ext|extern|externe?)\]\s*)*"
_OUT_OF_OFFICE = re.compile(f"{_TAGGED}(?:{_PHRASES.replace('auto:', 'auto(?=:)')}){_FOLLOWED_BY}", re.IGNORECASE)
# With a null return path a person did not send it: the phrase may go on in any way.
_OUT_OF_OFFICE_LOOSE = re.compile(f"{_TAGGED}(?:re:\\s*)?(?:{_PHRASES})", re.IGNORECASE)
_NO_REPLY = re.compile(r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|bounces?)(?:[-+_.=].*)?$")

_MAILING_LIST = (
    "list-id",
    "list-unsubscribe",
    "list-post",
    "list-help",
    "list-subscribe",
    "list-owner",
    "list-archive",
)


def null_return_path(message: Message) -> bool:
    """Whether the envelope sender was `<>`, which is how machines ask not to be answered (RFC 5321 4.5.5)."""
    return any(path.replace(" ", "") == "<>" for path in message.headers.all("return-path")[:1])


def auto_reply(message: Message, subject: str) -> str | None:
    """Why this is an answering machine speaking, None where it is not. Bounces are sorted out before."""
    headers = message.headers
    submitted = _token(headers.get("auto-submitted"))
    if submitted == "auto-replied":  # RFC 3834 5.2; auto-generated is also put on people's mail by service desks
        return "auto-replied"
    if "x-autoreply" in headers and _token(headers.get("x-autoreply")) != "no":
        return "x-autoreply"
    if "x-autorespond" in headers and _token(headers.get("x-autorespond")) != "no":
        return "x-autorespond"
    if _token(headers.get("precedence")) in {"auto_reply", "auto-reply"}:
        return "precedence-auto-reply"
    if message.type == "multipart/report" and _report(message) == "disposition-notification":
        return "read-receipt"  # RFC 8098
    if _OUT_OF_OFFICE.search(subject[:300]):
        return "out-of-office-subject"
    if null_return_path(message) and _OUT_OF_OFFICE_LOOSE.search(subject[:300]):
        return "out-of-office-null-return-path"
    return None


# Why a mail must not be answered, in the order in which the reasons are looked for; the plainest word comes first.
_REASONS: tuple[tuple[str, Callable[[Message], bool]], ...] = (
    ("auto-submitted", lambda m: _token(m.headers.get("auto-submitted")) not in {"", "no"}),
    ("report", lambda m: m.type == "multipart/report"),
    ("null-return-path", null_return_path),
    ("precedence", lambda m: _token(m.headers.get("precedence")) in {"bulk", "list", "junk"}),
    ("mailing-list", lambda m: any(name in m.headers for name in _MAILING_LIST)),
    ("auto-response-suppress", lambda m: _token(m.headers.get("x-auto-response-suppress")) not in {"", "none"}),
)


def automatic(message: Message, subject: str, author: str) -> str | None:
    """Why this mail must not be answered by a machine, None for what looks like a person's mail."""
    if reason := auto_reply(message, subject):
        return reason
    if reason := next((name for name, applies in _REASONS if applies(message)), None):
        return reason
    return "no-reply-address" if _NO_REPLY.match(author.partition("@")[0]) else None


def _report(message: Message) -> str:
    return message.parameters.get("report-type", "").strip().casefold()


def _token(value: str) -> str:
    """The first word of a header, in lower case: "auto-replied (vacation)", "auto-generated; owner=…"."""
    return value.strip().partition(";")[0].partition("(")[0].partition(",")[0].strip().casefold()
