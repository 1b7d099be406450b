"""mailflow: an MSP's clients hear from a person, every time something breaks, by mail alone."""

__version__ = "0.1.0"
