"""What mailflow costs: `make bench`. Everything is measured on real sockets and a real database."""
