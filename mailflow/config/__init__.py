"""The settings: their model, their loader, and what is shipped with the program."""
