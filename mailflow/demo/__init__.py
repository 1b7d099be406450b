"""Embedded mail servers and the story they play."""
