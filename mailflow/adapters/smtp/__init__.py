"""Submission servers (RFC 6409): the only home of aiosmtplib."""

from mailflow.adapters.smtp.courier import SmtpCourier

__all__ = ["SmtpCourier"]
