"""Each migration once, in order; their names say what they do."""
