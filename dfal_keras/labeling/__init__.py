"""Labeling for people: from a folder of photographs to labels for all of them."""
