"""Labeling sessions: folders in which people label images between trainings."""
