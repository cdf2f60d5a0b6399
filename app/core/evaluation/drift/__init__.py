"""How words changed between two spaces, and how much of that is noise. Arrays in, numbers out."""
