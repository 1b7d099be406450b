"""bytes -> Reading: parsing, recognising and understanding mail; pure, bounded, never raises."""
