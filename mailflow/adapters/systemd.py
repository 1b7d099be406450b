"""Telling systemd how we are (sd_notify(3)): ready, reloading, stopping, alive. Silent where nobody listens."""

import os
import socket


def notify(state: str) -> None:
    """Send one state, such as "READY=1"; a lost datagram is not worth a fault."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto(state.encode(), address)
    except OSError:
        return
