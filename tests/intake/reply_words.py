"""What mail programs say in a reply in three languages: attributions, header blocks, phones' signatures."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interface:
    """One language of a mail program's interface; {who} is name and address, {name} the name alone."""

    gmail: str
    apple: str
    ios: str
    thunderbird: str
    yahoo: str
    mutt: str
    header: tuple[str, str, str, str]  # From, Sent, To, Subject
    date: str  # what Samsung says for Sent
    sent: str  # the moment as Outlook writes it
    original: str  # Samsung's line above the header
    iphone: str
    galaxy: str
    outlook: str
    regards: str


INTERFACES = {
    "en": Interface(
        gmail="On Tue, Nov 24, 2026 at 9:32\u202fAM {who} wrote:",
        apple="On Nov 24, 2026, at 9:32\u202fAM, {who} wrote:",
        ios="On Nov 24, 2026, at 9:32\u202fAM, {who} wrote:",
        thunderbird="On 11/24/26 09:32, {name} wrote:",
        yahoo="On Tuesday, November 24, 2026 at 09:32:05 AM CST, {who} wrote:",
        mutt="On Tue, Nov 24, 2026 at 09:32:05AM -0600, {name} wrote:",
        header=("From", "Sent", "To", "Subject"),
        date="Date",
        sent="Tuesday, November 24, 2026 9:32 AM",
        original="-------- Original message --------",
        iphone="Sent from my iPhone",
        galaxy="Sent from my Galaxy",
        outlook="Get Outlook for iOS",
        regards="Kind regards,",
    ),
    "nl": Interface(
        gmail="Op di 24 nov 2026 om 09:32 schreef {who}:",
        apple="Op 24 nov 2026, om 09:32 heeft {who} het volgende geschreven:",
        ios="Op 24 nov 2026 om 09:32 heeft {who} het volgende geschreven:",
        thunderbird="Op 24-11-2026 om 09:32 schreef {name}:",
        yahoo="Op dinsdag 24 november 2026 om 09:32:05 CET schreef {who}:",
        mutt="Op di 24 nov 2026 om 09:32 schreef {name}:",
        header=("Van", "Verzonden", "Aan", "Onderwerp"),
        date="Datum",
        sent="dinsdag 24 november 2026 09:32",
        original="-------- Oorspronkelijk bericht --------",
        iphone="Verstuurd vanaf mijn iPhone",
        galaxy="Verzonden vanaf mijn Galaxy",
        outlook="Outlook voor iOS downloaden",
        regards="Met vriendelijke groet,",
    ),
    "de": Interface(
        gmail="Am Di., 24. Nov. 2026 um 09:32 Uhr schrieb {who}:",
        apple="Am 24.11.2026 um 09:32 schrieb {who}:",
        ios="Am 24.11.2026 um 09:32 schrieb {who}:",
        thunderbird="Am 24.11.26 um 09:32 schrieb {name}:",
        yahoo="Am Dienstag, 24. November 2026 um 09:32:05 MEZ hat {who} Folgendes geschrieben:",
        mutt="Am Di, 24. Nov 2026 um 09:32:05 +0100 schrieb {name}:",
        header=("Von", "Gesendet", "An", "Betreff"),
        date="Datum",
        sent="Dienstag, 24. November 2026 09:32",
        original="-------- Ursprüngliche Nachricht --------",
        iphone="Von meinem iPhone gesendet",
        galaxy="Von meinem Galaxy gesendet",
        outlook="Outlook für iOS beziehen",
        regards="Mit freundlichen Grüßen",
    ),
}
