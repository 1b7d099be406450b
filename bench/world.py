"""The firm that is measured: 50 clients with 20 hosts each, and monitors that never rest."""

from datetime import UTC, datetime
from pathlib import Path

from tests.house import write_config

NOC, PASSWORD = "noc@msp.example", "demo"
CLIENTS, HOSTS = 50, 20
ALERTS = 1_000
CAPS = ("per_contact_and_incident", "per_address_hour", "answers_per_sender_2h", "per_domain_hour", "overall_hour")
SENT = datetime(2026, 11, 24, 9, 12, tzinfo=UTC)

CLIENT = """
[[client]]
key = "client{n}"
name = "Client {n}"
domains = ["client{n}.example"]
liaison = "valery@msp.example"
[[client.contact]]
name = "Pat Doe"
first_name = "Pat"
address = "pat@client{n}.example"
wants = "all"
"""
COMPONENT = """
[[client.component]]
name = "server {h}"
plain = "your server {h}"
hosts = ["C{n}-SRV{h}"]
criticality = "critical"
"""
ALERT = """From: Zabbix <zabbix@msp.example>
To: noc@msp.example
Subject: Problem: {host} is unavailable by ICMP ping
Date: Tue, 24 Nov 2026 09:12:00 +0000
Message-ID: <alert.{n}@msp.example>
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

Problem started at 09:12:00 on 2026.11.24
Problem name: {host} is unavailable by ICMP ping
Host: {host}
Severity: High
Operational data: Down (0)
Original problem ID: {n}
https://zabbix.msp.example/tr_events.php?triggerid=23512&eventid={n}
"""


def config(
    folder: Path, *, imap_port: int, smtp_port: int, storm_count: int = 1, clients: int = CLIENTS, hosts: int = HOSTS
) -> Path:
    """The shipped configuration, with many clients and with its caps out of the way; 1 is never a storm."""
    folder.mkdir(parents=True, exist_ok=True)
    firms = [CLIENT.format(n=n) + "".join(COMPONENT.format(n=n, h=h) for h in range(hosts)) for n in range(clients)]
    (folder / "clients").mkdir(exist_ok=True)
    (folder / "clients" / "many.toml").write_text("".join(firms))
    changes = dict.fromkeys((*CAPS, "staff_hour"), "1000000") | {
        "include": '["clients/*.toml"]',
        "rest": '"0m"',
        "proof": '"sent"',
        "storm_count": f"{storm_count}",
    }
    return write_config(folder, imap_port=imap_port, smtp_port=smtp_port, **changes)


def alert(number: int) -> bytes:
    """The alert with this number: new trouble at one of the hosts."""
    host = f"C{number % CLIENTS}-SRV{number // CLIENTS % HOSTS}"
    return ALERT.format(n=number, host=host).replace("\n", "\r\n").encode()
