"""The checkable claims of the paper, and how stored results decide each."""
