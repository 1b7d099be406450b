"""Use cases, one transaction each, and the ports through which they reach the world."""
