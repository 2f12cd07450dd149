"""The images of a folder: found, read, decoded once."""
