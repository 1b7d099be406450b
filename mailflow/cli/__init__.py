"""Thin verbs over app.py."""
