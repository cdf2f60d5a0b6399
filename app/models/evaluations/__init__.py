"""What versions were measured by, how two of them compare, and what a version must show before an alias names it."""
