"""Ticket tokens of clients' own helpdesks in subjects: which are known, and what only looks like one."""

import pytest

from mailflow.intake.psa import psa_token


@pytest.mark.parametrize(
    ("subject", "token"),
    [
        # Autotask
        ("T20261123.0042 - Server does not answer", "T20261123.0042"),
        ("RE: Ticket T20261123.0042: mail is slow", "T20261123.0042"),
        ("Your ticket (T20260101.12345).", "T20260101.12345"),
        ("Re: [T20261123.0042.] printer", "T20261123.0042"),
        # ConnectWise
        ("Ticket #123456/Northwind/File server", "Ticket #123456"),
        ("Re: Service Ticket #1234 - Mail down", "Service Ticket #1234"),
        ("FW: Service Ticket #1234567 has been updated", "Service Ticket #1234567"),
        ("ticket #778899: no network", "ticket #778899"),
        ("Re: Ticket# 445566 Printer", "Ticket# 445566"),
        # osTicket, Spiceworks, OTRS, Zammad, Kaseya BMS
        ("[Ticket#12345] Server down", "[Ticket#12345]"),
        ("Re: [Ticket #12345] Server down", "[Ticket #12345]"),
        ("AW: [Ticket#2026112310000011] Server steht", "[Ticket#2026112310000011]"),
        ("[Ticket# 54321] Kaseya: mailbox full", "[Ticket# 54321]"),
        ("[Ticket ID: 204117] VPN", "[Ticket ID: 204117]"),
        ("[Request #88123] Update: VPN", "[Request #88123]"),
        ("[Case #4711] VPN", "[Case #4711]"),
        ("Ticket#2026112310000011 - Drucker", "Ticket#2026112310000011"),
        ("RE: [#123456] slow line", "[#123456]"),
        # HaloPSA
        ("File server [ID:0012345]", "[ID:0012345]"),
        ("RE: ID:0001234 File server is slow", "ID:0001234"),
        ("[ID: 0012345] File server", "[ID: 0012345]"),
        # Zendesk
        ("[ABC12-34Z] Re: Mail does not arrive", "[ABC12-34Z]"),
        ("Re: Mail does not arrive [V2XK7Q-9ZP4]", "[V2XK7Q-9ZP4]"),
        # Freshdesk, HappyFox
        ("Re: [#TIC-1234] No network", "[#TIC-1234]"),
        ("[#SR-1234] No network", "[#SR-1234]"),
        ("[#1234] No network", "[#1234]"),
        ("[#HF00001234] No network", "[#HF00001234]"),
        # Jira Service Management
        ("ITSM-123 New laptop does not start", "ITSM-123"),
        ("Re: [ITSM-123] Laptop", "[ITSM-123]"),
        ("[JIRA] (NWSD-88) Laptop", "(NWSD-88)"),
        ("Re: SUPPORT-2041 Laptop", "SUPPORT-2041"),
        # RT
        ("[example.com #1234] Mail", "[example.com #1234]"),
        ("Re: [helpdesk.northwind.example #9] Mail", "[helpdesk.northwind.example #9]"),
        ("Re: [support #4321] Mail", "[support #4321]"),
        # ServiceNow
        ("INC0012345 - VPN is slow", "INC0012345"),
        ("Re: Incident INC0012345 has been assigned", "INC0012345"),
        ("RITM0012345: comments added", "RITM0012345"),
        ("CS0001234 opened", "CS0001234"),
        # ManageEngine, Salesforce
        ("[Request ID :##12345##] : Mail", "[Request ID :##12345##]"),
        ("Re: ##RE-4412## Mail", "##RE-4412##"),
        ("Mail [ ref:_00D20Abc1._5002Fx9Qz:ref ]", "[ ref:_00D20Abc1._5002Fx9Qz:ref ]"),
        # Syncro, Atera
        ("Ticket #1042 - Replacement disk", "Ticket #1042"),
        ("Re: Ticket number: 10421 replacement disk", "Ticket number: 10421"),
        # beside ours
        ("Re: File server restarted INC-2041 Ticket #123456", "Ticket #123456"),
        ("INC-2041 [#INC-77] [#TIC-1234]", "[#TIC-1234]"),
    ],
)
def test_a_ticket_token_is_kept_as_written(subject: str, token: str) -> None:
    """A client's PSA finds its ticket by our reply's subject, so its token comes back letter by letter."""
    assert psa_token(subject) == token
    assert token in subject


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Re:",
        "File server restarted",
        "INC-2041",
        "Re: [INC-2041] File server restarted",
        "Re: File server (INC-20410012)",
        "[#INC-2041] File server",
        "INC 0012345",
        "Re: 2026-11",
        "Report 2026",
        "Budget [2026] approved",
        "[2026-11] monthly report",
        "[2026-11-23] monthly report",
        "Meeting on 20261123.0042",
        "T20261323.0042 is no day",
        "T20261123.00",
        "XT20261123.0042",
        "Version 10.0.20348.0042",
        "Call me on +31 20 555 0100",
        "Phone 0205550100",
        "(020) 555-0100",
        "Invoice #1234",
        "[Invoice #1234] is due",
        "[Invoice 1234]",
        "Your order #998877",
        "[Order #998877] shipped",
        "PO #4500012345",
        "PO-4500012345",
        "[PO-45000] approved",
        "[INV-20261] due",
        "Quote #55512",
        "Rechnung Nr. 2026-0042",
        "$1,234.00 for the laptop",
        "€1234 for the laptop",
        "#1 priority",
        "[#1 priority] mail",
        "[#1] mail",
        "We are #12345 in the queue",
        "Room #1204",
        "Tickets for Friday",
        "ticket price #",
        "Ticket #1",
        "Ticket 2026 review",
        "Ticket: 2026 review",
        "Parking ticket #4711",
        "Concert ticket #4711",
        "Hot ticket",
        "Sticker ticket#",
        "thicket #12345",
        "[EXTERNAL] Mail",
        "[SPAM] Mail",
        "[COVID-19] rules",
        "(CVE-2026) patch",
        "[CVE-2026-1234] patch",
        "[KB-5031] installed",
        "(ISO-27001) audit",
        "[WIN11-24H2] rollout",
        "[SERVER-2022] rollout",
        "[PRINT-SRV] offline",
        "[NORTH-WEST] site",
        "(UTC-5) meeting",
        "[Q4-2026] plan",
        "[PLAN-2026] plan",
        "(RAID-10) rebuilt",
        "COVID-19 rules",
        "NWSD-88 outside brackets",
        "MySUP-12 outside a word",
        "SRV-DC01 is down",
        "SRV-DC-01",
        "VLAN ID: 1234567890",
        "Meeting ID: 123 456 7890",
        "Meeting ID: 12345678901",
        "ID:12",
        "Task 7 of 9",
        "CS2026 conference",
        "Re: Re: Re: Server",
        "file ##draft## text",
        "50% off",
        "[10.0.0.1 #2345] does not answer",
        "10.0.0.1 does not answer",
        "[Ticket #INC-2041] File server",
        "##INC-2041## File server",
        "[#inc-2041] File server",
    ],
)
def test_a_number_is_no_token(subject: str) -> None:
    """Years, phone numbers, prices, invoices, orders, versions and our own references are left alone."""
    assert psa_token(subject) == ""


@pytest.mark.parametrize("piece", ["[", "#", "[#", "##", "Ticket #", "[ABC12-", "a.", "T2026", "[Ticket ", "ID: ", "0"])
def test_a_hostile_subject_costs_nothing(piece: str) -> None:
    """A megabyte of half a token is looked at no further than a subject goes, and holds none."""
    assert psa_token(piece * (1_000_000 // len(piece))) == ""
